export { type IssuedJwt, type IssueOptions, JwtTokens, type JwtTokensOptions, type JwtUser } from "./jwt-tokens.js";
export type { Secrets } from "./key-ring.js";
