/**
 * Fetches a small document from a server that is trusted with its content, but with no more than that: a redirect is an
 * error, as it could lead anywhere, and a body of more than `maxSize` bytes is an error as soon as that shows, also where it
 * is compressed. The signal ends both the request and the reading.
 */
export async function boundedFetch(url: string, init: RequestInit, maxSize: number): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: "error" });
  return new Response(await read(response.body, maxSize), { status: response.status });
}

async function read(body: Response["body"], maxSize: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the stream, and with it the connection.
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > maxSize) throw new RangeError(`expected at most ${maxSize} bytes, got more`);
    chunks.push(chunk);
  }
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
