import type { App, MaybePromise, Receive, Scope, Send } from "../app.js";
import { DenyConnection, ProtocolError, RouteNotFound } from "../errors.js";
import type { Leases } from "../leases/leases.js";
import type { Clock } from "../ports/clock.js";
import { growScope } from "../scope.js";
import { prepend } from "../session/receive.js";
import type { MaybeAuthenticated } from "./authenticated.js";
import type { FirstMessageCarrier } from "./carriers.js";
import { LeasedConnection } from "./leased-connection.js";
import { type RenewalOptions, renewal } from "./renewal.js";
import type { SecurityReports } from "./security-reports.js";
import { anonymousUser } from "./user.js";
import { Refusal, type Verdict } from "./verdict.js";

export interface FirstMessageDialogue {
  readonly inner: App<"websocket", MaybeAuthenticated>;
  readonly scope: Scope<"websocket">;
  readonly receive: Receive<"websocket">;
  readonly send: Send<"websocket">;
  readonly carrier: FirstMessageCarrier;
  readonly judge: (token: string | undefined) => MaybePromise<Verdict>;
  readonly clock: Clock;
  readonly leases: Leases | undefined;
  readonly renewals: RenewalOptions;
  readonly reports: SecurityReports | undefined;
}

/**
 * Accepts, waits for the message that carries the token, and only then calls the inner application, to which the
 * connection looks as if it had just been made. A message that carries none is left for the inner application.
 */
export async function afterFirstMessage(dialogue: FirstMessageDialogue): Promise<void> {
  const { inner, scope, receive, send, carrier, judge, clock, leases, renewals, reports } = dialogue;
  const connect = await receive();
  if (connect.type === "websocket.disconnect") return;
  await send({ type: "websocket.accept" });

  const first = await within(carrier.timeout, clock, receive());
  if (first === undefined) {
    reports?.refusedStranger(scope, "timeout", carrier.name);
    return send({ type: "websocket.close", code: 4408, reason: "no token in time" });
  }
  if (first.type !== "websocket.receive") return;

  const token = carrier.read(first.text ?? first.bytes);
  const since = leases === undefined ? 0 : leases.now();
  const verdict = await judge(token);
  reports?.verdict(scope, token === undefined ? undefined : carrier.name, verdict);
  if (verdict instanceof Refusal) return closeWith(verdict, send);
  const rest = token === undefined ? prepend<"websocket">(first, receive) : receive;
  const again = prepend<"websocket">(connect, rest);
  const connection =
    leases === undefined ? undefined : new LeasedConnection({ leases, grant: verdict, since, type: "websocket", send });
  // It has long been open.
  if (connection?.begin() === false) {
    reports?.failure(scope, carrier.name, "invalid_token", verdict);
    return closeWith(new Refusal("invalid"), send);
  }
  const renew = renewal(renewals, scope, verdict, connection);
  const grown = growScope(scope, { user: verdict?.user ?? anonymousUser, grant: verdict, renew });
  const reply = connection?.send ?? send;
  try {
    await (connection === undefined
      ? inner(grown, again, alreadyAccepted(reply))
      : connection.run(inner, grown, again, alreadyAccepted(reply)));
  } catch (error) {
    if (!(error instanceof DenyConnection || error instanceof RouteNotFound)) throw error;
    return closeWith(error, reply);
  }
}

/** Sends the close frame that says what a refused handshake would have said. What is the server's own fault goes on to its log. */
export async function closeWith(error: DenyConnection | RouteNotFound, send: Send<"websocket">): Promise<void> {
  if (error instanceof RouteNotFound) return send({ type: "websocket.close", code: 4404, reason: "Not Found" });
  await send({
    type: "websocket.close",
    code: error.closeCode ?? (error.status < 500 ? 4000 + error.status : 1011),
    reason: error instanceof Refusal ? error.detail : "",
  });
  if (error.status >= 500) throw error;
}

async function within<Value>(ms: number, clock: Clock, value: Promise<Value>): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => resolve(undefined));
    value.finally(cancel).then(resolve, reject);
  });
}

/** The inner application opens the connection once more, which is now a matter of form. */
function alreadyAccepted(send: Send<"websocket">): Send<"websocket"> {
  let opened = false;
  return (event) => {
    if (opened) return send(event);
    opened = true;
    switch (event.type) {
      case "websocket.accept":
        if (event.subprotocol === undefined && (event.headers ?? []).length === 0) return;
        throw new ProtocolError(
          "expected an accept without subprotocol and headers: they went out before the first message came",
        );
      case "websocket.close":
        return send({ type: "websocket.close", code: event.code ?? 4403, reason: event.reason });
      case "websocket.http.response.start":
        throw new DenyConnection({ status: event.status });
      default:
        throw new ProtocolError(`expected "websocket.accept" or "websocket.close", got "${event.type}"`);
    }
  };
}
