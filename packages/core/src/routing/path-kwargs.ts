/** What the compiler can read off the text of a path pattern. */
import type { Flat } from "./flat.js";

type KwargOf<Text extends string, Values> = Text extends `${infer Name}:${infer Parameter}`
  ? { [Key in Parameter]: Values[Name & keyof Values] }
  : { [Key in Text]: Values["str" & keyof Values] };

type AllKwargsOf<Pattern extends string, Values> = Pattern extends `${string}<${infer Text}>${infer Rest}`
  ? KwargOf<Text, Values> & AllKwargsOf<Rest, Values>
  : {};

/**
 * `{ room: string; page: number }` for `"<room>/<int:page>/"`. A pattern that is only known when the program runs has
 * kwargs of any name.
 */
export type PathKwargs<Pattern extends string, Values> = string extends Pattern
  ? Record<string, unknown>
  : Flat<AllKwargsOf<Pattern, Values>>;

/** What a pattern catches, over what its route gives in any case. */
export type WithDefaults<Kwargs, Defaults> = Flat<Omit<Defaults, keyof Kwargs> & Kwargs>;

/** The pattern itself if the converters it names exist; otherwise the complaint, for the compiler to show. */
export type Checked<Pattern extends string, Values> =
  UnknownIn<Pattern, Values> extends infer Name extends string
    ? [Name] extends [never]
      ? Pattern
      : `There is no converter "${Name}" here: make path with paths({ ${Name}: ... })`
    : never;

type UnknownIn<Pattern extends string, Values> = Pattern extends `${string}<${infer Text}>${infer Rest}`
  ? (Text extends `${infer Name}:${string}` ? Exclude<Name, keyof Values> : never) | UnknownIn<Rest, Values>
  : never;
