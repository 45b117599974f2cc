import * as sluice from "@sluice/core";
import { passwordCheck } from "./authenticate.js";
import { Chat } from "./chat.js";
import { createPages } from "./pages.js";

export interface Services {
  readonly users: sluice.UserStore;
  readonly sessions: sluice.SessionStore;
  readonly hasher: sluice.PasswordHasher;
  readonly layer: sluice.ChannelLayer;
  readonly clock?: sluice.Clock;
}

/** `secure: false` is for a developer's own machine without TLS. */
export async function createApplication(
  { users, sessions, hasher, layer, clock = sluice.systemClock }: Services,
  site: Pick<sluice.SessionOptions, "allowedHosts" | "secure" | "lifetime" | "idleLifetime">,
) {
  const leases = new sluice.Leases({
    layer,
    clock,
    verify: async ({ tokenId }) => (await sessions.find(tokenId)) !== undefined,
  });
  const findUser = sluice.activeAccounts(users);
  const auth = sluice.AuthMiddlewareStack({ store: sessions, findUser, leases, clock, ...site });
  const pages = createPages({ sessions, leases, authenticate: await passwordCheck(users, hasher) });
  const application = sluice.ProtocolTypeRouter({
    http: auth(pages),
    websocket: auth(sluice.URLRouter([sluice.path("ws/chat/", sluice.asApp(Chat, { layer }))])),
  });
  return { application, leases };
}
