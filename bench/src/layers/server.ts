/** A process of a check that serves. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { asApp, ChannelFull, fetchApp, ProtocolTypeRouter, path, URLRouter } from "@sluice/core";
import { layerFromEnvironment, serveFromEnvironment } from "../checks/from-environment.js";
import { answerQuestions } from "../processes/answer-questions.js";
import { Failures } from "../soak/failures.js";
import { Room, Stuck } from "./room.js";

/** What a server has, and what has gone wrong in it. Sizes are in bytes. */
export interface ServerState {
  /** Of V8's heap and of array buffers, right after a full garbage collection. */
  readonly heap: number;
  readonly rss: number;
  /** WebSockets that are open. */
  readonly connections: number;
  /** Messages that the layer dropped here because a channel was full. */
  readonly dropped: number;
  readonly failures: Pick<Failures, "unplanned" | "examples">;
}

export interface CheckServerAnswers {
  port(): number;
  state(): ServerState;
  /** RSS in bytes. */
  size(): number;
  /** Whether the channel, of this or another process, is full, or is so after a few hundred messages. */
  isFull(channel: string): Promise<boolean>;
}

// What `node --expose-gc` does; children get the options of their parent, which has no use for it.
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const failures = new Failures();
const { logger } = failures;
const layer = await layerFromEnvironment(logger);

const application = ProtocolTypeRouter({
  http: URLRouter([
    path(
      "health/",
      fetchApp(() => new Response("fine")),
    ),
  ]),
  websocket: URLRouter([
    path("ws/groups/<int:group>/<int:socket>/", asApp(Room, { layer, logger })),
    path("ws/stuck/<int:groups>/", asApp(Stuck, { layer, logger })),
  ]),
});
const serve = await serveFromEnvironment();
const server = await serve(application, { port: 0, logger });

answerQuestions<CheckServerAnswers>({
  port: () => server.port,
  state: () => {
    collectGarbage();
    const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
    const { unplanned, examples } = failures;
    return {
      heap: heapUsed + arrayBuffers,
      rss,
      connections: server.connections.websocket,
      dropped: layer.dropped,
      failures: { unplanned, examples },
    };
  },
  size: () => process.memoryUsage.rss(),
  isFull: async (channel) => {
    for (let tries = 0; tries < 200; tries++) {
      try {
        await layer.send(channel, { type: "chat.message" });
      } catch (error) {
        if (error instanceof ChannelFull) return true;
        throw error;
      }
    }
    return false;
  },
});
