import type { ChannelLayer, LayerMessage } from "@sluice/core";
import type { Command } from "commander";
import { openSharedLayer } from "../layer/shared-layer.js";
import { createLogger } from "../logger.js";
import { readSettings } from "../settings.js";
import { CommandFailure } from "./failure.js";

export function sendCommand(program: Command): void {
  program
    .command("send")
    .description("send a message to a group, or to the workers of a channel")
    .argument("<group>", "its name; that of a channel with --channel")
    .argument("<json>", 'the message: an object with a type, such as \'{"type":"chat.message"}\'')
    .option("--channel", "send it to a channel")
    .action(async (name: string, json: string, { channel }: { readonly channel?: true }) => {
      const message = parse(json);
      await withLayer((layer) => (channel ? layer.send(name, message) : layer.groupSend(name, message)));
      process.stdout.write(`Sent ${message.type} to the ${channel ? "channel" : "group"} ${name}\n`);
    });
}

async function withLayer(work: (layer: ChannelLayer) => Promise<unknown>): Promise<void> {
  const layer = await openSharedLayer(readSettings(process.env), createLogger({ LOG_LEVEL: "error" }));
  try {
    await work(layer);
  } finally {
    await layer.close();
  }
}

function parse(json: string): LayerMessage {
  let message: unknown;
  try {
    message = JSON.parse(json);
  } catch (error) {
    throw new CommandFailure(`expected a message in JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof message === "object" && message !== null && "type" in message && typeof message.type === "string") {
    return { ...message, type: message.type };
  }
  throw new CommandFailure('expected a message with a type, such as {"type":"chat.message"}');
}
