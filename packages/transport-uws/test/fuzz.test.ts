import { transportFuzz } from "@sluice/testing/contract";
import { beforeEach } from "vitest";
import { serve } from "../src/serve.js";
import { skipWithoutBinary } from "./skip-without-binary.js";

beforeEach(skipWithoutBinary);

transportFuzz({
  name: "transport-uws",
  serve,
  lacks: {
    checksMask: "uWebSockets.js does not look at the mask bit",
    readsLatin1: "uWebSockets.js cuts such bytes off the ends of a value",
    readsSplitRequestLines: "uWebSockets.js answers 505 when a piece ends inside of the version or right after it",
    keepsLateUpgrades: "uWebSockets.js now and then takes a late upgrade for the end of a response",
    refusesEmptyNames: "uWebSockets.js takes a header line without a name for the end of the headers",
    refusesNestedMessages: "uWebSockets.js takes a binary frame for the end of a text that is not complete",
  },
});
