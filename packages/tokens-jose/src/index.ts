export { type JwksAlgorithm, JwksTokens, type JwksTokensOptions, type VerifiedClaims } from "./jwks-tokens.js";
export { type IssuedJwt, type IssueOptions, JwtTokens, type JwtTokensOptions, type JwtUser } from "./jwt-tokens.js";
export type { KeySource, Keys } from "./keys.js";
