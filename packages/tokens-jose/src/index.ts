export { type IssuedJwt, JwtTokens, type JwtTokensOptions, type JwtUser } from "./jwt-tokens.js";
export type { Secrets } from "./key-ring.js";
