import { presentChannels } from "./channels-server.js";

await presentChannels("daphne");
