import { contractIn } from "../../../test/in-runtime/contract-in.js";
import { bun } from "./runtime.js";

await contractIn(bun);
