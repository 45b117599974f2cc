import { connect } from "node:net";

export interface RawRequest {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  /** Lines, without their ends. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** Sends a request as it is, be it one or not, and resolves with everything that comes back. */
export function rawExchange(url: string, { method, target, headers, body }: RawRequest): Promise<string> {
  const { hostname, port } = new URL(url);
  const head = [
    `${method} ${target} HTTP/1.1`,
    `Host: localhost:${port}`,
    ...headers,
    ...(body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    const received: Buffer[] = [];
    const answer = (): string => Buffer.concat(received).toString();
    // A server that has refused a request need not read the rest of it.
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer()));
    socket.on("data", (chunk) => {
      received.push(chunk);
      if (isComplete(answer())) socket.destroy();
    });
    socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  });
}

/** Whether a response whose length can be known is there; after any other the server ends the connection. */
function isComplete(answer: string): boolean {
  const [head = "", ...rest] = answer.split("\r\n\r\n");
  if (rest.length === 0) return false;
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  return (
    /^HTTP\/1\.1 (?:101|204)/.test(head) ||
    (length !== undefined && Buffer.byteLength(rest.join("\r\n\r\n")) >= Number(length))
  );
}
