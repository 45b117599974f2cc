/** A process of a check that serves. */
import {
  asApp,
  fetchApp,
  fromHeader,
  type LeaseCounts,
  Leases,
  type Logger,
  ProtocolTypeRouter,
  path,
  systemClock,
  TokenAuth,
  URLRouter,
  WebsocketConsumer,
} from "@sluice/core";
import { JwtTokens } from "@sluice/tokens-jose";
import { layerFromEnvironment, serveFromEnvironment } from "../checks/from-environment.js";
import { fromEnvironment } from "../checks/variables.js";
import { answerQuestions } from "../processes/answer-questions.js";
import { Failures } from "../soak/failures.js";
import { claims, reason, secretVariable, welcome } from "./words.js";

/** What a server has, and what has gone wrong in it. */
export interface ServerState {
  /** `leases.size`. */
  readonly leases: number;
  readonly counts: Pick<LeaseCounts, "inDoubt" | "ended">;
  /** WebSockets that are open. */
  readonly connections: number;
  readonly failures: Pick<Failures, "unplanned" | "examples">;
}

export interface CheckServerAnswers {
  port(): number;
  state(): ServerState;
}

const failures = new Failures();
const { logger } = failures;
/** While nothing happens to the layer's server, the leases have nothing to warn of. */
const strict: Logger = { ...logger, warn: logger.error };
const layer = await layerFromEnvironment(logger);
const leases = new Leases({ layer, logger: strict });
const verifier = new JwtTokens({
  ...claims,
  keys: { current: fromEnvironment(secretVariable) },
  clock: systemClock,
});

class Lobby extends WebsocketConsumer {
  override readonly groups: readonly string[] = ["lobby"];

  override async connect(): Promise<void> {
    await this.accept();
    await this.send(welcome);
  }
}

interface TokenRoute {
  readonly urlRoute: { readonly kwargs: { readonly tokenId: string } };
}

const application = ProtocolTypeRouter({
  http: URLRouter([
    path(
      "tokens/<str:tokenId>/",
      fetchApp<TokenRoute>(async ({ method }, { scope }) => {
        if (method !== "DELETE") return new Response(null, { status: 405, headers: { allow: "DELETE" } });
        await leases.revokeToken(scope.urlRoute.kwargs.tokenId, reason);
        return new Response(null, { status: 204 });
      }),
    ),
  ]),
  websocket: TokenAuth(URLRouter([path("ws/", asApp(Lobby, { layer, logger }))]), {
    verifier,
    from: [fromHeader()],
    onAnonymous: "deny",
    leases,
  }),
});
const serve = await serveFromEnvironment();
const server = await serve(application, { port: 0, logger });

answerQuestions<CheckServerAnswers>({
  port: () => server.port,
  state: () => {
    const { inDoubt, ended } = leases.counts;
    const { unplanned, examples } = failures;
    return {
      leases: leases.size,
      counts: { inDoubt, ended },
      connections: server.connections.websocket,
      failures: { unplanned, examples },
    };
  },
});
