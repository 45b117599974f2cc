import type { Send } from "../app.js";
import type { HeaderList, HttpScope } from "../scope.js";

/** The transport's own: how a body is framed on its connection (RFC 9110 7.6.1, RFC 9113 8.2.2). */
const framingHeaders: ReadonlySet<string> = new Set([
  ...["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "content-length"],
]);

/** How many microtasks a body that is there as a whole may take to say that its first piece was all. */
const microtasksToEnd = 4;

/** Sends a web `Response` to the client of `scope`, and cancels its body if that client leaves. */
export async function sendFetchResponse(response: Response, scope: HttpScope, send: Send<"http">): Promise<void> {
  if (!(response instanceof Response)) {
    throw new TypeError(`expected the fetch handler to return a Response, got ${typeof response}`);
  }
  const { body, status } = response;
  const head = scope.method === "HEAD";
  const headers = headerList(response.headers, head);
  if (body === null || head) {
    await body?.cancel();
    await send({ type: "http.response.start", status, headers });
    await send({ type: "http.response.body" });
    return;
  }
  const reader = body.getReader();
  const cancel = (): void => {
    // It fails if the body has failed already, which is nobody's concern any more.
    reader.cancel().catch(() => {});
  };
  scope.signal().addEventListener("abort", cancel, { once: true });
  try {
    await send({ type: "http.response.start", status, headers });
    await sendBody(reader, send);
  } finally {
    cancel();
  }
}

async function sendBody(reader: ReadableStreamDefaultReader<Uint8Array>, send: Send<"http">): Promise<void> {
  let piece = await reader.read();
  while (!piece.done) {
    const body: unknown = piece.value;
    if (!(body instanceof Uint8Array)) throw new TypeError(`expected a response body of bytes, got ${typeof body}`);
    const next = reader.read();
    // A body in one piece goes out as one, with its length; a stream's piece must not wait for the one after it.
    const last = await endsAtOnce(next);
    await send({ type: "http.response.body", body, moreBody: !last });
    if (last) return;
    piece = await next;
  }
  await send({ type: "http.response.body" });
}

async function endsAtOnce(next: Promise<{ readonly done: boolean }>): Promise<boolean> {
  let done = false;
  next.then(
    (piece) => {
      done = piece.done;
    },
    // Whoever waits for the piece itself is told.
    () => {},
  );
  for (let waited = 0; waited < microtasksToEnd && !done; waited++) await Promise.resolve();
  return done;
}

function headerList(headers: Headers, head: boolean): HeaderList {
  const list: [string, string][] = [];
  // Gives every set-cookie line on its own.
  headers.forEach((value, name) => {
    const length = head && name === "content-length";
    if (length || !framingHeaders.has(name)) list.push([name, value]);
  });
  return list;
}
