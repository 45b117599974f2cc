/** What clients and servers of a check say to each other. */

/** The only message to a client: by then it is a member of the group, and has its lease. */
export const welcome = "welcome";

export const memberPath = "/ws/";

/** Why the tokens are revoked, which the close frames have to say. */
export const reason = "logged_out";

/** Of the close frame that ends a connection whose credential is no good any more. */
export const closeCode = 4401;

/** To be asked for by DELETE. */
export function tokenPath(tokenId: string): string {
  return `/tokens/${tokenId}/`;
}

/** What the servers expect of a token, and the client issues. */
export const claims = { issuer: "https://check.example", audience: "check" } as const;

/** The name of the environment variable that a run hands the secret of its tokens down in. */
export const secretVariable = "CHECK_SECRET";
