/** A user as the HTTP API shows one. */
export interface User {
  readonly id: string;
  readonly username: string;
  readonly name: string;
}

/** Who is logged in, and the token that proves it. */
export interface Session {
  readonly token: string;
  readonly user: User;
}

/** What is wrong with a request, in words, by field; under `""` what belongs to none. */
export type Faults = Readonly<Record<string, readonly string[]>>;

/** A request that was not answered, or not with what it asked for. */
export class Refused extends Error {
  readonly faults: Faults;
  /** Of the answer; undefined if there was none. */
  readonly status: number | undefined;

  constructor(faults: Faults, status?: number) {
    super(Object.values(faults).flat().join(" "));
    this.faults = faults;
    this.status = status;
  }
}

/** Rejects with `Refused`, as all requests do. */
export async function register(fields: Readonly<Record<string, string>>): Promise<Session> {
  await request("POST", "/api/register", { content: fields });
  return logIn(fields);
}

export async function logIn({ username, password }: Readonly<Record<string, string>>): Promise<Session> {
  const { token } = await request<{ token: string }>("POST", "/api/login", { content: { username, password } });
  return { token, user: await request<User>("GET", "/api/me", { token }) };
}

/** Something to open one WebSocket with, at once, that may be in a URL as the token may not. */
export async function askForTicket({ token }: Session, signal: AbortSignal): Promise<string> {
  const { ticket } = await request<{ ticket: string }>("POST", "/api/ticket", { token, signal });
  return ticket;
}

/** Ends the token: nobody who has a copy of it can use it any more. */
export async function logOut({ token }: Session): Promise<void> {
  await request("POST", "/api/logout", { token });
}

/** A login of a user's, on some device. Times are ISO 8601. */
export interface Device {
  readonly id: string;
  readonly user_agent: string | null;
  readonly created_at: string;
  /** Null where it has been used for nothing but to log in. */
  readonly last_used_at: string | null;
  /** True for the one that asks. */
  readonly current: boolean;
  /** How many connections it has open. */
  readonly connections: number;
}

/** The one that was used last first. */
export function devicesOf({ token }: Session): Promise<readonly Device[]> {
  return request("GET", "/api/sessions", { token });
}

/** Logs a device out, which may have been done meanwhile. */
export async function endDevice({ token }: Session, { id }: Device): Promise<void> {
  try {
    await request("DELETE", `/api/sessions/${id}`, { token });
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 404) throw error;
  }
}

/** Logs out all devices but this one. */
export async function endOtherDevices({ token }: Session): Promise<void> {
  await request("DELETE", "/api/sessions", { token });
}

/** Logs out all devices but this one, too. */
export async function changePassword(
  { token }: Session,
  content: { readonly old_password: string; readonly new_password: string },
): Promise<void> {
  await request("POST", "/api/password", { token, content });
}

async function request<Answer>(
  method: "GET" | "POST" | "DELETE",
  path: string,
  {
    content,
    token,
    signal = null,
  }: { readonly content?: object; readonly token?: string; readonly signal?: AbortSignal | null },
): Promise<Answer> {
  const headers: Record<string, string> = {};
  if (content !== undefined) headers["content-type"] = "application/json";
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  let response: Response;
  let answer: unknown;
  try {
    const body = content === undefined ? null : JSON.stringify(content);
    response = await fetch(path, { method, headers, body, signal });
    const text = await response.text();
    answer = response.headers.get("content-type")?.startsWith("application/json") ? JSON.parse(text) : undefined;
  } catch {
    throw new Refused({ "": ["The server cannot be reached. Try again in a moment."] });
  }
  const { ok, status } = response;
  if (!ok) throw new Refused(faultsIn(answer) ?? { "": [`The server answered with status ${status}.`] }, status);
  return answer as Answer;
}

/** From the shapes of Django REST framework: `{"password": ["..."]}`, `{"non_field_errors": ["..."]}`, `{"detail": "..."}`. */
function faultsIn(answer: unknown): Faults | undefined {
  if (typeof answer !== "object" || answer === null) return undefined;
  const named = Object.entries(answer).map(([name, messages]) => [
    name === "detail" || name === "non_field_errors" ? "" : name,
    [messages].flat().map(String),
  ]);
  return Object.fromEntries(named);
}
