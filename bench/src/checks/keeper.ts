/**
 * The process that keeps the server of a layer: one of its own, so that a moment is noted when it comes, and so that the
 * server ends also if the run is killed.
 */
import { answerQuestions } from "../processes/answer-questions.js";
import { BrokerProcess } from "./broker-process.js";
import { brokers } from "./brokers.js";
import { isLayerName } from "./layers.js";
import { directoryVariable, fromEnvironment, layerVariable } from "./variables.js";

/** Moments are those of `now()`. */
export interface KeeperAnswers {
  url(): string;
  /** Resolves when the server is gone. */
  kill(): Promise<number>;
  /** Resolves when the server is ready again. */
  restart(): Promise<number>;
  freeze(): number;
  thaw(): number;
  end(): Promise<void>;
}

// From the beginning, and not only when it can be asked: what it has begun is put away on its exit.
for (const end of ["SIGTERM", "disconnect"]) process.once(end, () => process.exit());
process.on("SIGINT", () => {});

const layer = fromEnvironment(layerVariable);
if (!isLayerName(layer)) throw new Error(`expected a layer that there is, got ${layer}`);
const broker = await BrokerProcess.start(brokers[layer].prepare, fromEnvironment(directoryVariable));

answerQuestions<KeeperAnswers>({
  url: () => broker.url,
  kill: () => broker.kill(),
  restart: () => broker.restart(),
  freeze: () => broker.freeze(),
  thaw: () => broker.thaw(),
  end: () => broker.end(),
});
