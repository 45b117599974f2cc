import { type App, type Connection, growScope, type Scope } from "@sluice/core";

/**
 * What a test puts into the scope: what the application needs beyond the protocol's own fields, as its middleware would
 * have added it, and the protocol's own in place of the ordinary ones.
 */
export type InjectedScope<P extends Connection, Needs extends object> = Partial<Omit<Scope<P>, "type" | keyof Needs>> &
  NoInfer<Needs>;

/** Options, with the scope among them: required where the application needs something. */
export type WithScope<Options, P extends Connection, Needs extends object> = {} extends Needs
  ? [options?: Options & { readonly scope?: InjectedScope<P, Needs> }]
  : [options: Options & { readonly scope: InjectedScope<P, Needs> }];

/** The application as it runs inside of the middleware that would have added `scope`. */
export function inject<P extends Connection, Needs extends object>(
  app: App<P, Needs>,
  scope: object | undefined,
): App<P> {
  // The constructor's types made sure that the scope has what the application needs.
  const inner = app as App<P>;
  return scope === undefined ? inner : (outer, receive, send) => inner(growScope(outer, scope), receive, send);
}
