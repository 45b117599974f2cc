import { mainIn } from "../../../test/in-runtime/main-in.js";
import { bun } from "./runtime.js";

mainIn(bun);
