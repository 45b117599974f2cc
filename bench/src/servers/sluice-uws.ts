import { serve } from "@sluice/transport-uws";
import { present } from "./present.js";
import { application, logger } from "./sluice.js";

const { port } = await serve(application, { port: 0, logger });
present(port);
