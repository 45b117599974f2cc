import type { Connection, Scope } from "../app.js";
import type { Unmet } from "../middleware.js";

/** Which way a connection took through the routers. */
export interface UrlRoute<Kwargs extends object = Readonly<Record<string, unknown>>> {
  /** The patterns that matched, joined, outermost first. One name for many URLs: the one to put into logs. */
  readonly route: string;
  /** What the unnamed groups of `rePath` expressions caught, outermost first; undefined for a group that took no part. */
  readonly args: readonly (string | undefined)[];
  /** What the parameters caught, and the routes' defaults. Of two with one name the inner router's wins. */
  readonly kwargs: Readonly<Kwargs>;
}

/** What a router adds to the scope. */
export interface Routed<Kwargs extends object = Readonly<Record<string, unknown>>> {
  readonly urlRoute: UrlRoute<Kwargs>;
  /** What of the path is left for an inner router. */
  readonly pathRemaining: string;
}

/** Kwargs that only an outer router can supply are still needed. */
type FromOuterRouter<Missing> = [keyof Missing] extends [never]
  ? {}
  : { readonly urlRoute: { readonly kwargs: Missing } };

/** What of an application's needs a route that gives `Kwargs` leaves to what stands outside it. */
export type BeyondRoute<P extends Connection, Needs, Kwargs extends object> = Needs extends {
  readonly urlRoute: { readonly kwargs: infer Wanted };
}
  ? Unmet<Omit<Needs, "urlRoute">, Scope<P> & Routed> & FromOuterRouter<Unmet<Wanted, Kwargs>>
  : Unmet<Needs, Scope<P> & Routed<Kwargs>>;

/** `Pattern`, or the complaint if the application wants a kwarg to be of another type than the pattern gives it. */
export type Agreeing<Pattern, Needs, Kwargs> = Needs extends { readonly urlRoute: { readonly kwargs: infer Wanted } }
  ? [Disputed<Wanted, Kwargs>] extends [never]
    ? Pattern
    : `The application needs ${Disputed<Wanted, Kwargs>} to be of another type`
  : Pattern;

type Disputed<Wanted, Kwargs> = {
  [Key in keyof Wanted & keyof Kwargs & string]: Kwargs[Key] extends Wanted[Key] ? never : Key;
}[keyof Wanted & keyof Kwargs & string];
