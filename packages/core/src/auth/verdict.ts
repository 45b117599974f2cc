import type { MaybePromise } from "../app.js";
import { DenyConnection } from "../errors.js";
import type { Grant, TokenVerifier } from "../ports/token-verifier.js";
import type { User } from "./user.js";

/** Longer ones are invalid without a look: a request's headers may be long, a token need not be. */
const maxTokenLength = 8192;

/** RFC 6750 3 and 3.1; the texts are those of Django REST framework. */
const refusals = {
  missing: {
    status: 401,
    closeCode: 4401,
    error: "not_authenticated",
    challenge: "",
    detail: "Authentication credentials were not provided.",
  },
  invalid: {
    status: 401,
    closeCode: 4401,
    error: "invalid_token",
    challenge: ' error="invalid_token"',
    detail: "Invalid token.",
  },
  ambiguous: {
    status: 400,
    closeCode: 4400,
    error: "invalid_request",
    challenge: ' error="invalid_request"',
    detail: "Expected one token, got different ones in one request.",
  },
  unavailable: {
    status: 503,
    closeCode: 1013,
    error: "temporarily_unavailable",
    challenge: undefined,
    detail: "Tokens cannot be verified at the moment.",
  },
  insufficient: {
    status: 403,
    closeCode: 4403,
    error: "insufficient_scope",
    challenge: ' error="insufficient_scope"',
    detail: "You do not have permission to perform this action.",
  },
  otherUser: {
    status: 403,
    closeCode: 4403,
    error: "user_mismatch",
    challenge: undefined,
    detail: "Expected a token of the same user.",
  },
} as const;

/** What a {@link Refusal} is for, in one word. */
export type RefusalError = (typeof refusals)[keyof typeof refusals]["error"];

/**
 * Why somebody may not do what they ask for: open a connection, renew its credential, or what a consumer requires a user or
 * a scope for. Made by Sluice and told to the client; an application may want to know it by `instanceof`.
 */
export class Refusal extends DenyConnection {
  /** The error code, of RFC 6750 3.1 and RFC 6749 4.1.2.1 where they have one. */
  readonly error: RefusalError;
  /** In words. */
  readonly detail: string;
  /** What a token would need, where one is refused for want of it: names with spaces between them. */
  readonly scope: string | undefined;
  declare readonly closeCode: number;

  constructor(why: keyof typeof refusals, cause?: unknown, scope?: string) {
    const { status, closeCode, error, challenge, detail } = refusals[why];
    super(
      {
        status,
        closeCode,
        headers: [
          ["content-type", "application/json"],
          ...(challenge === undefined
            ? []
            : [["www-authenticate", `Bearer${challenge}${scope === undefined ? "" : `, scope="${scope}"`}`] as const]),
        ],
        body: JSON.stringify({ detail }),
      },
      cause === undefined ? undefined : { cause },
    );
    this.error = error;
    this.detail = detail;
    this.scope = scope;
  }
}

/** A grant for who is known, undefined for who may stay anonymous. */
export type Verdict<Who extends User = User> = Grant<Who> | Refusal | undefined;

export interface Policy<Who extends User> {
  readonly verifier: TokenVerifier<Who>;
  readonly onAnonymous?: "allow" | "deny";
  readonly onInvalid?: "deny" | "anonymous";
}

/** Judges the token of a request, or its absence. Never rejects. A verifier that is given stands in for the policy's. */
export function judgeBy<Who extends User>(
  policy: Policy<Who> & { readonly onAnonymous: "deny" },
): (token: string | undefined) => MaybePromise<Grant<Who> | Refusal>;
export function judgeBy<Who extends User>(
  policy: Policy<Who>,
): (token: string | undefined, verifier?: TokenVerifier<Who>) => MaybePromise<Verdict<Who>>;
export function judgeBy<Who extends User>(
  policy: Policy<Who>,
): (token: string | undefined, verifier?: TokenVerifier<Who>) => MaybePromise<Verdict<Who>> {
  const missing = (): Verdict<Who> => (policy.onAnonymous === "deny" ? new Refusal("missing") : undefined);
  const invalid = (): Verdict<Who> => (policy.onInvalid === "anonymous" ? missing() : new Refusal("invalid"));
  return (token, verifier = policy.verifier) => {
    if (token === undefined) return missing();
    if (token === "" || token.length > maxTokenLength) return invalid();
    try {
      const verified = verifier.verify(token);
      if (!(verified instanceof Promise)) return verified ?? invalid();
      return verified.then(
        (grant) => grant ?? invalid(),
        (cause: unknown) => new Refusal("unavailable", cause),
      );
    } catch (cause) {
      return new Refusal("unavailable", cause);
    }
  };
}
