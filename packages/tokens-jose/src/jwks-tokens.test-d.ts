/** What the compiler knows about JwksTokens. Compiled, never run. */
import type { Grant, MaybePromise, User } from "@sluice/core";
import { JwksTokens } from "./jwks-tokens.js";

interface Customer extends User {
  readonly plan: "free" | "paid";
}

declare function findCustomer(subject: string): Promise<Customer | undefined>;

const provider = {
  jwksUrl: "https://id.example.com/jwks",
  issuer: "https://id.example.com",
  audience: "https://chat.example.com",
} as const;

// Whom the application makes of the claims is whom the grant is for.
const looked = new JwksTokens({ ...provider, algorithms: ["ES256"], user: ({ sub = "" }) => findCustomer(sub) });
export const ofCustomer: MaybePromise<Grant<Customer> | undefined> = looked.verify("");

const made = new JwksTokens({
  ...provider,
  algorithms: ["RS256", "EdDSA"],
  user: ({ sub, exp }) =>
    sub === undefined ? undefined : { isAuthenticated: true, id: sub, username: sub, until: exp },
});
export const withUntil: MaybePromise<Grant<User & { readonly until: number }> | undefined> = made.verify("");

// @ts-expect-error: a secret is no key that a provider publishes.
export const withSecret = new JwksTokens({ ...provider, algorithms: ["HS256"], user: () => undefined });

// @ts-expect-error: nobody is not a user.
export const ofNobody = new JwksTokens({ ...provider, algorithms: ["ES256"], user: ({ sub }) => ({ id: sub }) });
