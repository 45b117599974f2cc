import type { ChannelLayer, Logger } from "@sluice/core";
import { CommandFailure } from "../cli/failure.js";
import { layerChoice } from "../settings/layer.js";
import type { Settings } from "../settings.js";
import { openLayer } from "./open-layer.js";

/** Opens the layer for a command beside the servers. Rejects where it ends at this process, as nobody would hear. */
export function openSharedLayer(settings: Settings, logger: Logger): Promise<ChannelLayer> {
  const choice = layerChoice(settings);
  if (choice.name !== "memory") return openLayer(choice, logger);
  throw new CommandFailure(
    "CHANNEL_LAYER: expected redis://... or postgres, as the server has; the in-memory layer ends at this process",
  );
}
