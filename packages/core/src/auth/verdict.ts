import type { MaybePromise } from "../app.js";
import { DenyConnection } from "../errors.js";
import type { Grant, TokenVerifier } from "../ports/token-verifier.js";
import type { User } from "./user.js";

/** Longer ones are invalid without a look: a request's headers may be long, a token need not be. */
const maxTokenLength = 8192;

/** RFC 6750 3 and 3.1; the texts are those of Django REST framework. */
const refusals = {
  missing: { status: 401, closeCode: 4401, challenge: "", detail: "Authentication credentials were not provided." },
  invalid: { status: 401, closeCode: 4401, challenge: ' error="invalid_token"', detail: "Invalid token." },
  ambiguous: {
    status: 400,
    closeCode: 4400,
    challenge: ' error="invalid_request"',
    detail: "Expected one token, got different ones in one request.",
  },
  unavailable: {
    status: 503,
    closeCode: 1013,
    challenge: undefined,
    detail: "Tokens cannot be verified at the moment.",
  },
  insufficient: {
    status: 403,
    closeCode: 4403,
    challenge: ' error="insufficient_scope"',
    detail: "You do not have permission to perform this action.",
  },
} as const;

/** Why nobody gets in. */
export class Refusal extends DenyConnection {
  readonly detail: string;

  /** `scope` is what a token would need, for a refusal for want of it. */
  constructor(why: keyof typeof refusals, cause?: unknown, scope?: string) {
    const { status, closeCode, challenge, detail } = refusals[why];
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
    this.detail = detail;
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
