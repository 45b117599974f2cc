import type { Protocol, Receive, ReceiveEvent } from "../app.js";
import type { Inbox } from "./inbox.js";

type Sink<P extends Protocol> = Parameters<Receive<P>["pipe"]>[0];

/** The reading end of an inbox, as an application sees it. */
export function createReceive<P extends Protocol>(inbox: Inbox<ReceiveEvent<P>>): Receive<P> {
  const receive: Receive<P> = () => inbox.pull();
  receive.pipe = (sink) => inbox.pipe(sink);
  return receive;
}

/** The same events with one more in front: for middleware that has read an event its inner application must see. */
export function prepend<P extends Protocol>(event: ReceiveEvent<P>, receive: Receive<P>): Receive<P> {
  let first: ReceiveEvent<P> | undefined = event;
  const take = (): ReceiveEvent<P> | undefined => {
    const taken = first;
    first = undefined;
    return taken;
  };
  return Object.assign(
    () => {
      const taken = take();
      return taken === undefined ? receive() : Promise.resolve(taken);
    },
    {
      pipe: async (sink: Sink<P>): Promise<void> => {
        const taken = take();
        if (taken !== undefined) await sink(taken);
        return receive.pipe(sink);
      },
    },
  );
}

/** The events that pass, as they come: for middleware that keeps some from its inner application. */
export function filtered<P extends Protocol>(
  receive: Receive<P>,
  passes: (event: ReceiveEvent<P>) => boolean,
): Receive<P> {
  const pull = async (): Promise<ReceiveEvent<P>> => {
    for (;;) {
      const event = await receive();
      if (passes(event)) return event;
    }
  };
  return Object.assign(pull, {
    pipe: (sink: Sink<P>) => receive.pipe(sieve(passes, sink)),
  });
}

/** By itself, so that what lasts as long as the connection holds on to these two only. */
function sieve<P extends Protocol>(passes: (event: ReceiveEvent<P>) => boolean, sink: Sink<P>): Sink<P> {
  return (event) => (passes(event) ? sink(event) : undefined);
}
