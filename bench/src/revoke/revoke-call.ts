import { type Agent, request } from "node:http";
import { now } from "../measure/now.js";
import { patience } from "./closures.js";
import { tokenPath } from "./words.js";

/** Resolves with the moment, by `now()`, at which the answer had come. Rejects if that is not 204. */
export function revokeCall(port: number, tokenId: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path: tokenPath(tokenId), method: "DELETE", agent, timeout: patience };
    const call = request(options, (response) => {
      const arrival = now();
      response.resume();
      if (response.statusCode === 204) resolve(arrival);
      else reject(new Error(`expected 204 in answer to a revocation, got ${response.statusCode}`));
    });
    call.once("timeout", () => call.destroy(new Error(`expected an answer to a revocation within ${patience} ms`)));
    call.once("error", reject);
    call.end();
  });
}
