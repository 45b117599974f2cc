import { mainIn } from "../../../test/in-runtime/main-in.js";
import { deno } from "./runtime.js";

mainIn(deno);
