/** What the tests ask of the HTTP API. */
export function post(url: string, content: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof content === "string" ? content : JSON.stringify(content),
  });
}

export const goodPassword = "orange stapler museum";

/** Registers a user and logs them in, by the opaque token and by a JWT, which has a refresh token. */
export async function member(
  url: string,
  username: string,
  name = "",
): Promise<{ id: string; token: string; jwt: string; refresh: string }> {
  const registered = await post(`${url}/api/register`, { username, name, password: goodPassword });
  if (registered.status !== 201) throw new Error(`expected 201, got ${registered.status} ${await registered.text()}`);
  const { id } = (await registered.json()) as { id: string };
  const { token } = (await (await post(`${url}/api/login`, { username, password: goodPassword })).json()) as {
    token: string;
  };
  const { access, refresh } = (await (await post(`${url}/api/jwt`, { username, password: goodPassword })).json()) as {
    access: string;
    refresh: string;
  };
  return { id, token, jwt: access, refresh };
}

/** A ticket for who has the token, as it is given to a page of an origin or to a client without one. */
export async function ticketFor(url: string, token: string, origin?: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, ...(origin === undefined ? {} : { origin }) };
  const response = await post(`${url}/api/ticket`, "", headers);
  if (response.status !== 200) throw new Error(`expected 200, got ${response.status} ${await response.text()}`);
  const { ticket } = (await response.json()) as { ticket: string };
  return ticket;
}
