/** What the compiler knows about what consumers require, and about renewals. Compiled, never run. */
import type { App } from "../app.js";
import type { Authenticated, MaybeAuthenticated, Renew, Renewed } from "../auth/authenticated.js";
import { fromHeader } from "../auth/carriers.js";
import { requireUser } from "../auth/require-user.js";
import { TokenAuth } from "../auth/token-auth.js";
import type { AnonymousUser, User } from "../auth/user.js";
import type { Refusal } from "../auth/verdict.js";
import { stack } from "../middleware.js";
import type { Grant, TokenVerifier } from "../ports/token-verifier.js";
import { asApp } from "./as-app.js";
import { HttpConsumer } from "./http-consumer.js";
import { JsonWebsocketConsumer } from "./json-websocket-consumer.js";
import { WebsocketConsumer } from "./websocket-consumer.js";

interface Member extends User {
  readonly plan: "free" | "paid";
}
type Same<Left, Right> = [Left, Right] extends [Right, Left] ? true : never;
declare const verifier: TokenVerifier<Member>;
const from = [fromHeader()];

/** The user is known, by the type that the class declares. */
class Chat extends JsonWebsocketConsumer<MaybeAuthenticated<Member>> {
  override async receiveJson() {
    const user = this.requireUser();
    const grant = this.requireScope("chat:read", "chat:write");
    const exact: [Same<typeof user, Member>, Same<typeof grant, Grant<Member>>] = [true, true];
    void exact;
    // @ts-expect-error at least one
    this.requireScope();
    // @ts-expect-error names, not a list of them
    this.requireScope(["chat:write"]);
    // @ts-expect-error before it, nobody is
    this.scope.user.plan;
    const { grant: renewed, expiresIn }: Renewed = await this.renew("token");
    renewed satisfies Grant;
    expiresIn satisfies number | undefined;
    // @ts-expect-error a token is text
    await this.renew(1);
    // @ts-expect-error the class knows of no admins
    this.scope.renew satisfies Renew<Member & { admin: true }> | undefined;
    this.scope.renew satisfies Renew<Member> | undefined;
  }
  override allowsGroup(group: string) {
    return group !== "paid" || this.requireUser().plan === "paid";
  }
  override refused(refusal: Refusal) {
    if (refusal.error === "insufficient_scope") return this.close(refusal.closeCode, refusal.scope);
    // @ts-expect-error no such refusal
    if (refusal.error === "bored") return this.close();
    return super.refused(refusal);
  }
  protected override tokenIn(content: unknown): string | undefined {
    return typeof content === "string" ? content : undefined;
  }
}
export const chat: App<"websocket"> = TokenAuth(asApp(Chat), { verifier, from });
export const members: App<"websocket"> = TokenAuth(asApp(Chat), { verifier, from, onAnonymous: "deny" });

/** Where the user is known anyway, it is the same. */
class Known extends WebsocketConsumer<Authenticated<Member>> {
  override receive() {
    const user = this.requireUser();
    const exact: Same<typeof user, Member> = true;
    void exact;
  }
}
export const known: App<"websocket"> = TokenAuth(requireUser(asApp(Known)), { verifier, from });
export const stacked: App<"websocket"> = stack<"websocket">()
  .use(TokenAuth({ verifier, from }))
  .use(requireUser)
  .app(asApp(Known));

/** Over HTTP, too, where there is nothing to renew. */
export class Post extends HttpConsumer<{ user: Member | AnonymousUser; grant: Grant | undefined }> {
  handle() {
    const plan: "free" | "paid" = this.requireUser().plan;
    const { tokenId }: Grant = this.requireScope("chat:write");
    // @ts-expect-error a request is over too soon
    this.renew;
    return this.sendResponse(200, plan + tokenId);
  }
}

/** What is not in the scope cannot be required. */
export class Stranger extends WebsocketConsumer<{ room: string }> {
  override receive() {
    // @ts-expect-error the class does not declare that it has a user
    this.requireUser();
    // @ts-expect-error the class does not declare that it has a grant
    this.requireScope("chat:write");
  }
}
export class Named extends WebsocketConsumer<{ user: { name: string } }> {
  override receive() {
    // @ts-expect-error that user does not say whether it is known
    this.requireUser();
  }
}
// @ts-expect-error they are for the class itself, not for who holds one
new Chat({} as never).requireUser();

/** An application without consumers is given it by its scope, over WebSockets at most. */
export const raw: App<"websocket"> = TokenAuth(
  async ({ renew }, receive) => {
    const event = await receive();
    if (event.type !== "websocket.receive" || event.text === undefined) return;
    // @ts-expect-error not every scope has it
    await renew(event.text);
    const renewed = await renew?.(event.text);
    renewed?.grant.user.plan satisfies "free" | "paid" | undefined;
  },
  { verifier, from, onAnonymous: "deny" } as const,
);
