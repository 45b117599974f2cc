import { contractIn } from "../../../test/in-runtime/contract-in.js";
import { deno } from "./runtime.js";

await contractIn(deno);
