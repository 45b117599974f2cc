import type { App, Connection, MaybePromise, Scope } from "./app.js";
import { claiming, claimOf } from "./routing/claim.js";
import type { Flat } from "./routing/flat.js";
import { growScope } from "./scope.js";

/**
 * What of `Needs` is still missing where `Given` is there. A field that is given, but with a type that will not do,
 * comes out as `never`: nothing can supply it.
 */
export type Unmet<Needs, Given> = Flat<{
  [Key in keyof Needs as Key extends keyof Given
    ? Given[Key] extends Needs[Key]
      ? never
      : Key
    : Key]: Key extends keyof Given ? never : Needs[Key];
}>;

/** What an application needs from outside a middleware. With nothing added that is what it needs, untouched. */
type Outside<P extends Connection, Inner, Adds> = [keyof Adds] extends [never] ? Inner : Unmet<Inner, Scope<P> & Adds>;

/**
 * Wraps an application in another that fits where less is offered: outer scopes must already carry `Needs`, inner
 * applications are given `Adds` on top. A wrong order does not compile.
 *
 * Make one with {@link provide} or {@link middleware}. A bare function that adds nothing fits the type too, but routers
 * outside do not see a router through it: see `path`.
 *
 * @example
 * const session: Middleware<{}, { session: Session }> = provide((scope) => ({ session: openSession(scope) }));
 * const auth: Middleware<{ session: Session }, { user: User }> = provide((scope) => ({ user: userOf(scope.session) }));
 * session(auth(chat)); // auth(session(chat)) is a compile error
 */
export interface Middleware<Needs extends object = {}, Adds extends object = {}> {
  <P extends Connection, Inner extends object = {}>(
    inner: App<P, Inner & Needs & Adds>,
  ): App<P, Outside<P, Inner, Adds> & Needs>;
  /** Never set: it lets `Needs` and `Adds` be inferred from a middleware. */
  readonly "~types"?: { readonly needs: Needs; readonly adds: Adds };
}

/**
 * Middleware that adds to the scope what `resolve` gives for it. Synchronous where `resolve` is.
 *
 * @example
 * const services = provide(() => ({ messages }));   // inside: scope.messages
 */
export function provide<Needs extends object = {}, Adds extends object = {}>(
  resolve: (scope: Scope<Connection> & Needs) => MaybePromise<Adds>,
): Middleware<Needs, Adds> {
  return middleware(
    <P extends Connection, Inner extends object>(inner: App<P, Inner & Needs & Adds>): App<P, Inner & Needs> =>
      (scope, receive, send) => {
        const added = resolve(scope as Scope<Connection> & Needs);
        return added instanceof Promise
          ? added.then((ready) => inner(growScope(scope, ready), receive, send))
          : inner(growScope(scope, added), receive, send);
      },
  ) as Middleware<Needs, Adds>;
}

/**
 * Makes a middleware of a function from application to application: for what wraps `receive` or `send`, or decides
 * whether the inner application runs at all. Must not change which path is routed: a router outside asks a router inside
 * beforehand, past all middleware.
 *
 * @example
 * const counted = middleware((inner) => (scope, receive, send) =>
 *   inner(scope, receive, (event) => {
 *     count(event.type);
 *     return send(event);
 *   }),
 * );
 */
export function middleware(wrap: Middleware): Middleware;
export function middleware<Needs extends object>(wrap: Middleware<Needs>): Middleware<Needs>;
export function middleware<Needs extends object>(wrap: Middleware<Needs>): Middleware<Needs> {
  return (inner) => claiming(wrap(inner), claimOf(inner));
}

type Requires<Has, Needs> = Has extends Needs ? unknown : { readonly "~missing": Exclude<keyof Needs, keyof Has> };

/** Middlewares to be, outermost first. */
export interface Stack<P extends Connection, Has extends object = {}> {
  /** Puts `middleware` inside those before it. What it needs, they must have added. */
  use<Needs extends object, Adds extends object>(
    middleware: Middleware<Needs, Adds> & Requires<Has, Needs>,
  ): Stack<P, Has & Adds>;
  /** Puts the application in the middle. */
  app(inner: App<P, Has>): App<P>;
}

/**
 * Reads from the outside in, where nesting reads from the inside out.
 *
 * @example
 * stack<"websocket">().use(session).use(auth).app((scope, receive, send) => { scope.user; })
 */
export function stack<P extends Connection = Connection>(): Stack<P> {
  return stackOf<P, {}>((inner) => inner);
}

function stackOf<P extends Connection, Has extends object>(wrap: (inner: App<P, Has>) => App<P>): Stack<P, Has> {
  return {
    use: <Needs extends object, Adds extends object>(middleware: Middleware<Needs, Adds>) =>
      // `Requires` has checked that `Has` covers `Needs`, which a type parameter cannot express.
      stackOf<P, Has & Adds>((inner) => wrap(middleware(inner as App<P, Has & Needs & Adds>) as App<P, Has>)),
    app: (inner) => claiming(wrap(inner), claimOf(inner)),
  };
}
