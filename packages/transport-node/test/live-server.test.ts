import { liveServerTests } from "../../testing/test/live-server-tests.js";
import { serve } from "../src/serve.js";

liveServerTests(serve);
