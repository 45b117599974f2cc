import {
  AllowedHostsOriginValidator,
  type App,
  asApp,
  type Connection,
  fetchApp,
  fromHeader,
  fromQuery,
  fromSubprotocol,
  fromTicket,
  ProtocolTypeRouter,
  path,
  provide,
  type Scope,
  stack,
  TokenAuth,
  URLRouter,
} from "@sluice/core";
import { accessLog, noteRoute, noteUser } from "./access-log.js";
import { answeringRefusals } from "./api/answering-refusals.js";
import { createApi } from "./api/api.js";
import { ChatConsumer } from "./chat/chat-consumer.js";
import { groupOf, publicRoom } from "./chat/room.js";
import { type Services, ticketPurpose } from "./services.js";
import { limitGuesses } from "./throttle/token-guesses.js";
import { AccountConsumer } from "./websocket/account-consumer.js";
import { HelloConsumer } from "./websocket/hello-consumer.js";
import { LoginConsumer } from "./websocket/login-consumer.js";
import { clientPace, userPace } from "./websocket/pace.js";
import { UrlLogin } from "./websocket/url-login.js";

/** The whole application: what comes in at the front door, and where it goes. */
export function createApplication(services: Services): App {
  const { settings, logger, clock, onSecurityEvent, layer, presence, verifier, tickets, leases } = services;
  const api = createApi(services);
  const from = [fromHeader(), fromSubprotocol(), fromQuery("token"), fromTicket(tickets, { purpose: ticketPurpose })];
  const places = api.routes.map(({ path: place }) => place).filter((place) => !place.includes("*"));
  const log = accessLog(logger, [...places, "/ws/auth/", "/ws/login/", "/ws/chat/"]);
  const guesses = limitGuesses({ most: settings.MAX_WRONG_TOKENS_PER_ADDRESS, clock, onSecurityEvent });
  const tokens = { verifier, leases, from, onSecurityEvent: guesses.onSecurityEvent };
  const withServices = provide(() => ({ services }));

  const paced = userPace(services);
  const hello = noteUser(asApp(HelloConsumer));
  const inRoom = presence.in(
    (scope: Scope<Connection> & { readonly urlRoute: { readonly kwargs: { readonly room: string } } }) =>
      groupOf(scope.urlRoute.kwargs.room),
  );
  const chat = TokenAuth(
    guesses.inside(noteUser(paced(inRoom(asApp(ChatConsumer, { layer, logger, onSecurityEvent }))))),
    { ...tokens, onInvalid: "anonymous" },
  );

  const sockets = URLRouter([
    path("", noteRoute(TokenAuth(guesses.inside(paced(hello)), { ...tokens, onAnonymous: "deny" }))),
    path("ws/auth/", noteRoute(asApp(AccountConsumer))),
    path("ws/login/", noteRoute(asApp(LoginConsumer))),
    path("ws/chat/", noteRoute(chat), { room: publicRoom }),
    path("ws/chat/<str:room>/", noteRoute(chat)),
    ...(settings.ALLOW_URL_CREDENTIALS ? [path("ws/auth/<path:credentials>/", noteRoute(UrlLogin(hello)))] : []),
  ]);

  return ProtocolTypeRouter({
    http: stack<"http">()
      .use(log)
      .use(answeringRefusals((request, refusal) => api.fetch(request, { refusal })))
      .use(guesses.outside([fromHeader()]))
      // A token that is no good is answered by the API, which knows what a page of another origin may read.
      .use(
        TokenAuth({ verifier, from: [fromHeader()], onInvalid: "anonymous", onSecurityEvent: guesses.onSecurityEvent }),
      )
      .use(noteUser)
      .app(fetchApp((request, { scope }) => api.fetch(request, { scope }))),
    websocket: log(
      AllowedHostsOriginValidator(
        guesses.outside(tokens.from)(withServices(clientPace(services)(sockets))),
        [...settings.ALLOWED_HOSTS, ...settings.ALLOWED_ORIGINS],
        {
          // Command-line and native clients send none; nothing here trusts a cookie, so they need a token like anybody.
          allowMissingOrigin: true,
          onSecurityEvent,
        },
      ),
    ),
  });
}
