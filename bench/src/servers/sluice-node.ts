import { serve } from "@sluice/transport-node";
import { present } from "./present.js";
import { application, logger } from "./sluice.js";

const { port } = await serve(application, { port: 0, logger });
present(port);
