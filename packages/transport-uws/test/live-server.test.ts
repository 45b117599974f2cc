import { beforeEach } from "vitest";
import { liveServerTests } from "../../testing/test/live-server-tests.js";
import { serve } from "../src/serve.js";
import { skipWithoutBinary } from "./skip-without-binary.js";

beforeEach(skipWithoutBinary);

liveServerTests(serve);
