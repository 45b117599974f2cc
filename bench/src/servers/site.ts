/** The one site that every contestant serves and the driver visits. */
export const site = {
  path: "/ws/echo/",
  /** Pages of this host may connect, from any port. */
  allowedHost: "chat.example",
  issuer: "https://chat.example",
  audience: "chat",
} as const;

/** The name of the environment variable that a run hands its secret down in. */
export const secretVariable = "BENCH_SECRET";

/** What this run's tokens are signed with. */
export function siteSecret(): string {
  const secret = process.env[secretVariable];
  if (secret === undefined) throw new Error(`expected ${secretVariable} in the environment: start it by main.js`);
  return secret;
}
