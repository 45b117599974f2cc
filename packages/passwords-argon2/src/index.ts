export { type Argon2Cost, Argon2Hasher, type Argon2HasherOptions } from "./argon2-hasher.js";
