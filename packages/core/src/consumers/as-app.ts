import type { App, Connection, MaybePromise } from "../app.js";
import { SecurityReports } from "../auth/security-reports.js";
import { ConfigurationError } from "../errors.js";
import type { ChannelLayer } from "../ports/channel-layer.js";
import { type Logger, silentLogger } from "../ports/logger.js";
import type { OnSecurityEvent } from "../ports/security-events.js";
import type { ConsumerContext } from "./consumer.js";
import type { ConsumerSetup } from "./consumer-run.js";
import { HttpConsumer } from "./http-consumer.js";
import { HttpRun } from "./http-run.js";
import type { Handlers } from "./layer-events.js";
import { LayerHandlers } from "./layer-handlers.js";
import type { StandardSchemaV1 } from "./standard-schema.js";
import { WebsocketConsumer } from "./websocket-consumer.js";
import { WebSocketRun } from "./websocket-run.js";
import { WorkerConsumer, type WorkerContext } from "./worker-consumer.js";

export interface AsAppOptions {
  /** Needed by consumers with groups or handlers. */
  readonly layer?: ChannelLayer | undefined;
  /** Told of layer messages that no handler is listed for, and of what fails after a first failure. */
  readonly logger?: Logger | undefined;
  /** Told of what `requireUser` and `requireScope` refuse in the middle of a connection; `TokenAuth` is told of the others. */
  readonly onSecurityEvent?: OnSecurityEvent | undefined;
}

interface Declared {
  readonly scope: object;
  readonly "~types"?: { readonly protocol: Connection | "channel"; readonly needs: object; readonly events: object };
}

/** A class that `asApp` takes: it extends `WebsocketConsumer`, `JsonWebsocketConsumer`, `HttpConsumer` or `WorkerConsumer`. */
export interface ConsumerClass {
  new (context: never): Declared;
  /** Types of layer messages that may call a method. Declare it `as const`. */
  readonly handlers?: readonly string[];
  /** Checks what a `JsonWebsocketConsumer` receives. */
  readonly schema?: StandardSchemaV1;
}

// Not the standard library's InstanceType, which is `any` for a constructor whose parameter is `never`.
type InstanceOf<Class extends ConsumerClass> = Class extends { new (context: never): infer Instance extends Declared }
  ? Instance
  : never;
type TypesOf<Class extends ConsumerClass> = NonNullable<InstanceOf<Class>["~types"]>;
type EventsOf<Class extends ConsumerClass> = TypesOf<Class>["events"];
type HandlersOf<Class extends ConsumerClass> = NonNullable<Class["handlers"]>[number];

/** Stands in the way of a class that does not fit, and says why. */
interface Problem<Text extends string> {
  readonly "~problem": Text;
}

type Fits<Class extends ConsumerClass> = FitsHandlers<Class> & FitsReceive<InstanceOf<Class>, ContentOf<Class>>;

type FitsHandlers<Class extends ConsumerClass> = [keyof EventsOf<Class>] extends [never]
  ? unknown
  : string extends HandlersOf<Class>
    ? Problem<"expected static handlers = [...] as const">
    : [Exclude<keyof EventsOf<Class> & string, HandlersOf<Class>>] extends [never]
      ? MissingMethods<InstanceOf<Class>, Handlers<EventsOf<Class>>>
      : Problem<`expected static handlers to list ${Exclude<keyof EventsOf<Class> & string, HandlersOf<Class>>}`>;

type MissingMethods<Instance, Methods> = Instance extends Methods
  ? unknown
  : Problem<`expected a method that takes its event: ${{
      [Name in keyof Methods & string]: Instance extends Pick<Methods, Name> ? never : Name;
    }[keyof Methods & string]}`>;

type ContentOf<Class> = Class extends { readonly schema: StandardSchemaV1<unknown, infer Output> } ? Output : unknown;

/** A method's own parameter may be narrower than what the client can send, which TypeScript lets pass. */
type FitsReceive<Instance, Content> = Instance extends { receiveJson(content: infer Expected): MaybePromise<void> }
  ? Content extends Expected
    ? unknown
    : Problem<"expected receiveJson to take what static schema gives, or unknown without one">
  : Instance extends { receive(data: infer Expected): MaybePromise<void> }
    ? string | Uint8Array extends Expected
      ? unknown
      : Problem<"expected receive to take string | Uint8Array">
    : unknown;

type Arguments<Class extends ConsumerClass> = [keyof EventsOf<Class>] extends [never]
  ? [options?: AsAppOptions]
  : [options: AsAppOptions & { readonly layer: ChannelLayer }];

/**
 * Makes an application of a consumer class: one instance per connection, or per message of a worker. It needs of the scope
 * what the class needs.
 *
 * Events that the class declares must be listed in its `static handlers` and have their methods, or it does not compile.
 * Throws `ConfigurationError` for a listed type without a method, and for handlers without a layer.
 *
 * @example
 * URLRouter([path("ws/chat/<str:room>/", asApp(Chat, { layer }))]);
 */
export function asApp<Class extends ConsumerClass>(
  consumer: Class & Fits<Class>,
  ...[options = {}]: Arguments<Class>
): App<TypesOf<Class>["protocol"], TypesOf<Class>["needs"]> {
  const { layer, logger = silentLogger } = options;
  const reports = SecurityReports.to(options.onSecurityEvent);
  const setup: ConsumerSetup = { layer, logger, reports, handlers: new LayerHandlers(consumer, logger) };
  if (setup.handlers.size > 0 && layer === undefined) {
    throw new ConfigurationError(`expected asApp(${consumer.name}, { layer }): it has static handlers`);
  }
  // Whether the scope carries what the class needs is the caller's to show: the result's type asks for it.
  return appOf(consumer, setup) as App<TypesOf<Class>["protocol"], TypesOf<Class>["needs"]>;
}

function appOf(consumer: ConsumerClass, setup: ConsumerSetup): App<"websocket"> | App<"http"> | App<"channel"> {
  if (consumer.prototype instanceof WebsocketConsumer) {
    return webSocketApp(consumer as new (context: ConsumerContext<"websocket">) => WebsocketConsumer, setup);
  }
  if (consumer.prototype instanceof HttpConsumer) {
    return httpApp(consumer as new (context: ConsumerContext<"http">) => HttpConsumer, setup);
  }
  if (consumer.prototype instanceof WorkerConsumer) {
    return workerApp(consumer as new (context: WorkerContext) => WorkerConsumer, setup);
  }
  throw new ConfigurationError("expected a class that extends WebsocketConsumer, HttpConsumer or WorkerConsumer");
}

function webSocketApp(
  consumer: new (context: ConsumerContext<"websocket">) => WebsocketConsumer,
  setup: ConsumerSetup,
): App<"websocket"> {
  return (scope, receive, send) => new WebSocketRun(setup, consumer, scope, send).run(receive);
}

function httpApp(consumer: new (context: ConsumerContext<"http">) => HttpConsumer, setup: ConsumerSetup): App<"http"> {
  return (scope, receive, send) => new HttpRun(setup, consumer, scope, send).run(receive);
}

function workerApp(consumer: new (context: WorkerContext) => WorkerConsumer, setup: ConsumerSetup): App<"channel"> {
  return async (scope, receive) => {
    const { message } = await receive();
    await setup.handlers.dispatch(new consumer({ scope, layer: setup.layer }), message);
  };
}
