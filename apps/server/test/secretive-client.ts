import WebSocket from "ws";
import type { KnownSecrets, Shape } from "./known-secrets.js";
import { rawExchange } from "./raw-exchange.js";
import {
  escapes,
  isLast,
  type Kind,
  lastMessages,
  type Placed,
  type Request,
  spellings,
  type Talk,
} from "./secret-steps.js";

/** Takes steps, and keeps what it is issued for the next ones. */
export class SecretiveClient {
  readonly #url: string;
  readonly #secrets: KnownSecrets;
  #talks = 0;
  readonly #issued: Record<Kind, string[]> = { token: [], access: [], refresh: [], ticket: [], password: [] };

  constructor(url: string, secrets: KnownSecrets) {
    this.#url = url;
    this.#secrets = secrets;
    this.#issued.password.push(secrets.make("odd"));
  }

  /** Resolves with everything the server has answered, less what it was asked to issue. */
  async take(given: Request | Talk): Promise<string> {
    const spelled = this.#choose(given);
    const lines = given.headers.map((line) => fill(line, spelled));
    const target = fill(given.target, spelled);
    if (given.do === "talk") return this.#talk(given, target, lines);
    const answer = await rawExchange(this.#url, {
      method: given.method,
      target,
      headers: [...lines, `Content-Type: ${given.type}`, "Connection: close"],
      body: fill(given.body, escapes[given.type](spelled)),
    });
    const mayIssue = /^\/api\/(?:login|jwt|jwt\/refresh|ticket)$/.test(target) && answer.startsWith("HTTP/1.1 200");
    return mayIssue ? this.#withoutIssued(answer) : answer;
  }

  async #talk({ messages: said }: Talk, target: string, lines: readonly string[]): Promise<string> {
    const given = Object.fromEntries(lines.map((line) => /^(.+?): ?(.*)$/s.exec(line)?.slice(1) ?? []));
    const mark = `that was all of ${++this.#talks}`;
    const answers: string[] = [];
    let socket: WebSocket;
    try {
      socket = new WebSocket(`${this.#url.replace("http", "ws")}${target}`, { headers: given });
    } catch {
      // Not what this client can send.
      return "";
    }
    socket.on("upgrade", ({ rawHeaders }) => answers.push(rawHeaders.join("\n")));
    socket.on("error", () => {});
    socket.on("close", (_, reason) => answers.push(String(reason)));
    socket.on("unexpected-response", (_, response) => {
      answers.push(response.rawHeaders.join("\n"));
      response.on("data", (chunk: Buffer) => answers.push(String(chunk)));
      response.on("end", () => socket.terminate());
    });
    socket.on("message", (data) => {
      const frame = String(data);
      answers.push(frame.startsWith('{"type":"loggedIn"') ? this.#withoutIssued(frame) : frame);
      if (isLast(frame, mark)) socket.close();
    });
    socket.on("open", () => {
      for (const each of said) {
        const spelled = this.#choose(each);
        socket.send(fill(each.message, escapes["application/json"](spelled)));
      }
      for (const message of lastMessages(mark)) socket.send(JSON.stringify(message));
    });
    await new Promise((resolve) => socket.on("close", resolve));
    return answers.join("\n");
  }

  #choose({ from, back, spelling }: Placed): string {
    const issued = from in this.#issued ? this.#issued[from as Kind].at(-1 - back) : undefined;
    const secret = issued ?? this.#secrets.make(from in this.#issued ? "opaque" : (from as Shape));
    const spelled = spellings[spelling](secret);
    this.#secrets.add(spelled);
    return spelled;
  }

  #withoutIssued(answer: string): string {
    return answer.replaceAll(/"(token|access|refresh|ticket)":"([^"]+)"/g, (_, name: Kind, secret: string) => {
      this.#secrets.add(secret);
      this.#issued[name].push(secret);
      return "";
    });
  }
}

function fill(template: string, secret: string): string {
  return template.replaceAll("$", () => secret);
}
