import { transportFuzz } from "@sluice/testing/contract";
import { serve } from "../src/serve.js";

transportFuzz({ name: "transport-node", serve });
