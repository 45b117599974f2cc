import fc from "fast-check";
import type { Shape } from "./known-secrets.js";

const kinds = ["token", "access", "refresh", "ticket", "password"] as const;
export type Kind = (typeof kinds)[number];

/** A secret somewhere: `from` where it was issued, counted from the latest, or made up in that shape. */
export interface Placed {
  readonly from: Kind | Shape;
  readonly back: number;
  readonly spelling: keyof typeof spellings;
}

/** In every template `$` is where the secret goes. */
export interface Request extends Placed {
  readonly do: "request";
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly type: keyof typeof escapes;
  readonly body: string;
}

export interface Talk extends Placed {
  readonly do: "talk";
  readonly target: string;
  readonly headers: readonly string[];
  readonly messages: readonly (Placed & { readonly message: string })[];
}

export interface Failure {
  readonly do: "fail";
  readonly how: (typeof failures)[number];
  readonly meanwhile: readonly (Request | Talk)[];
}

export type Step = Request | Talk | Failure;

export const spellings = {
  plain: (secret: string) => secret,
  encoded: encodeURIComponent,
  "encoded to the last byte": (secret: string) => Buffer.from(secret).toString("hex").replaceAll(/../g, "%$&"),
  "encoded twice": (secret: string) => encodeURIComponent(encodeURIComponent(secret)),
  "without its end": (secret: string) => secret.slice(0, -2),
  "with more": (secret: string) => `${secret}x`,
};

export const escapes = {
  "application/json": (text: string) => JSON.stringify(text).slice(1, -1),
  "application/x-www-form-urlencoded": encodeURIComponent,
  "multipart/form-data; boundary=part": (text: string) => text,
  "text/plain": (text: string) => text,
};

export const failures = ["no database", "no users", "no tokens", "no tickets", "no refresh_families"] as const;

const targets = [
  "/api/me",
  "/api/me?token=$",
  "/api/me/$",
  "/api/login?username=ada&password=$",
  "/api/login/ada/$",
  "/readyz?token=$",
  "/nowhere?token=$",
  "/nowhere/$/",
  "/$",
  "/%3Ftoken=$",
  "/?token=$",
  "/?ticket=$",
  "/?x=1&token=$&token=other",
  "/ws/chat/?token=$",
  "/ws/chat/&token=$",
  "/ws/chat%3Ftoken=$",
  "/ws/chat/$/",
  "/ws/login/ada/$/",
  "/ws/auth/ada/$/",
  "/ws/auth/$/$/",
  "/ws/auth/ada/$",
  "//ws//auth//ada/$/",
  "/ws/./auth/ada/$/",
  "/WS/Auth/ada/$/",
  "/ws/%61uth/ada/$/",
  "/ws%2Fauth%2Fada%2F$/",
  "/ws%252Fauth%252Fada%252F$/",
  "http://localhost/ws/auth/ada/$/",
];

const headers = [
  "Authorization: Bearer $",
  "Authorization: token $",
  "Authorization: Bearer $, Bearer $",
  "Authorization: Basic $",
  "Authorization: $",
  "authorization:$",
  "Cookie: session=$; token=$",
  "Cookie: $",
  "Sec-WebSocket-Protocol: access_token, $",
  "Sec-WebSocket-Protocol: $, access_token",
  "Sec-WebSocket-Protocol: access_token",
  "Proxy-Authorization: Bearer $",
  "X-Api-Key: $",
  "Referer: http://localhost/?token=$",
  "Origin: http://localhost",
  "Origin: https://evil.example",
  "Origin: https://$.example",
];

const credentials = [
  '{"username":"ada","password":"$"}',
  '{"username":"$","password":"$"}',
  '{"username":"ada","password":"$"',
  '{"username":"ada","password":"$",}',
  '{"username":"ada","password":["$"]}',
  '{"username":"ada","password":"$\\u0000"}',
  '["ada","$"]',
  '"$"',
  "$",
  "username=ada&password=$",
  '--part\r\nContent-Disposition: form-data; name="password"\r\n\r\n$\r\n--part--\r\n',
  '--part\r\nContent-Disposition: form-data; name="password\r\n\r\n$',
];

const refreshes = ['{"refresh":"$"}', '{"refresh":"$"', '{"refresh":{"token":"$"}}', "refresh=$"];

const registrations = [
  '{"username":"grace","password":"$"}',
  '{"username":"ada","password":"$"}',
  '{"username":"not a name","name":"Grace","password":"$"}',
  '{"username":"grace","password":["$"]}',
  '{"username":"grace","password":"$"',
  "username=grace&password=$",
];

const messages = [
  '{"type":"auth","token":"$"}',
  '{"type":"auth","token":["$"]}',
  '{"type":"auth","token":"$"',
  '{"type":"login","data":{"user_name":"ada","password":"$"}}',
  '{"type":"login","data":{"user_name":"$","password":"$"}}',
  '{"type":"login","data":{"user_name":"ada","password":{"value":"$"}}}',
  '{"type":"login","data":{"user_name":"ada","password":"$"}',
  '{"type":"register","data":{"user_name":"grace","password":"$"}}',
  '{"type":"register","data":{"user_name":"not a name","password":"$"}}',
  '{"username":"ada","password":"$"}',
  '{"username":"ada","password":"$"',
  '{"$":"$"}',
  '{"type":"$"}',
  '{"command":"$"}',
  '{"type":"message","data":{"token":"$"}}',
  '"$"',
  "$",
];

/** One of them tells by its answer, or by the end of the connection, that everything before it has been answered. */
export const lastMessages = (mark: string): readonly object[] => [
  { command: "Say hello !", data_string: mark },
  { type: "message", data: { message: mark } },
  { type: "register", data: { user_name: "", password: "", name: "x".repeat(151) } },
];
export const isLast = (frame: string, mark: string): boolean =>
  frame.includes(mark) || frame.includes("than 150 characters");

const placed = {
  from: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...kinds) },
    fc.constantFrom<Shape[]>("opaque", "jwt", "odd", "long"),
  ),
  back: fc.nat(2),
  spelling: fc.constantFrom(...(Object.keys(spellings) as (keyof typeof spellings)[])),
};
const someHeaders = fc.subarray(headers, { maxLength: 2 });
const type = fc.constantFrom(...(Object.keys(escapes) as (keyof typeof escapes)[]));

const request = (methods: readonly string[], paths: readonly string[], bodies: readonly string[]) =>
  fc.record<Request>({
    do: fc.constant("request"),
    ...placed,
    method: fc.constantFrom(...methods),
    target: fc.constantFrom(...paths),
    headers: someHeaders,
    type,
    body: fc.constantFrom(...bodies),
  });
const talk = fc.record<Talk>({
  do: fc.constant("talk"),
  ...placed,
  target: fc.constantFrom(
    "/",
    "/?token=$",
    "/?ticket=$",
    "/ws/chat/?token=$",
    "/ws/auth/",
    "/ws/login/",
    "/ws/auth/ada/$/",
  ),
  headers: someHeaders,
  messages: fc.array(fc.record({ ...placed, message: fc.constantFrom(...messages) }), { maxLength: 3 }),
});
const exchange: fc.Arbitrary<Request | Talk> = fc.oneof(
  request(["GET", "POST", "PUT", "OPTIONS"], targets, ["", ...credentials]),
  request(["POST"], ["/api/login", "/api/jwt"], credentials),
  request(["POST"], ["/api/register"], registrations),
  request(["POST"], ["/api/jwt/refresh"], refreshes),
  request(["POST"], ["/api/ticket", "/api/logout"], [""]),
  talk,
);
const failure = fc.record<Failure>({
  do: fc.constant("fail"),
  how: fc.constantFrom(...failures),
  meanwhile: fc.array(exchange, { minLength: 1, maxLength: 4 }),
});
export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 11, arbitrary: exchange },
  { weight: 1, arbitrary: failure },
);

const post: Omit<Request, "target" | "from" | "body"> = {
  do: "request",
  method: "POST",
  back: 0,
  spelling: "plain",
  headers: ["Authorization: Bearer $"],
  type: "application/json",
};
export const registration: Request = {
  ...post,
  target: "/api/register",
  from: "password",
  body: '{"username":"ada","password":"$"}',
};

function talkOf(target: string, from: Placed["from"], texts: readonly string[] = []): Talk {
  const secret: Placed = { from, back: 0, spelling: "encoded" };
  const said = texts.map((message) => ({ ...secret, spelling: "plain" as const, message }));
  return { do: "talk", ...secret, target, headers: [], messages: said };
}

/** Every kind of secret where it belongs, whatever else there is: nobody can have forgotten to use them. */
export const proper: readonly (Request | Talk)[] = [
  { ...registration, target: "/api/login" },
  { ...registration, target: "/api/jwt" },
  { ...post, target: "/api/jwt/refresh", from: "refresh", body: '{"refresh":"$"}' },
  { ...post, target: "/api/jwt/refresh", from: "refresh", back: 1, body: '{"refresh":"$"}' },
  { ...registration, target: "/api/jwt" },
  { ...post, target: "/api/ticket", from: "access", body: "" },
  talkOf("/?ticket=$", "ticket"),
  ...(
    [
      ["/ws/chat/?token=$", "access", '{"type":"auth","token":"$"}'],
      ["/ws/login/", "password", '{"username":"ada","password":"$"}'],
      ["/ws/auth/", "password", '{"type":"login","data":{"user_name":"ada","password":"$"}}'],
      ["/ws/auth/ada/$/", "password", '{"command":"$"}'],
    ] as const
  ).map(([target, from, message]) => talkOf(target, from, [message])),
  { ...post, target: "/api/logout", from: "token", body: "" },
];

/** A secret in every place where it does not belong, and in everything that is not what it should be. */
export const stray: readonly (Request | Talk)[] = [
  ...targets.map((target): Request => ({ ...post, method: "GET", target, from: "odd", spelling: "encoded", body: "" })),
  ...[
    ["/api/login", credentials] as const,
    ["/api/jwt/refresh", refreshes] as const,
    ["/api/register", registrations] as const,
  ].flatMap(([target, bodies]) => bodies.map((body): Request => ({ ...post, target, from: "opaque", body }))),
  ...messages.map((message) => talkOf("/ws/login/", "opaque", [message])),
  ...["/ws/auth/", "/ws/chat/?token=$"].map((target) => talkOf(target, "access", messages)),
];
