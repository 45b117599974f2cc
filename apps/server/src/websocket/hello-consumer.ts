import { JsonWebsocketConsumer } from "@sluice/core";
import { z } from "zod";
import type { Member } from "../services.js";

const command = z.object({ command: z.string(), data_string: z.unknown().optional() });

/** Answers the one command it knows; others get no answer. */
export function answerTo(content: unknown): object | undefined {
  const { data } = command.safeParse(content);
  if (data?.command !== "Say hello !") return undefined;
  return {
    command_response: "The command to say hello was received ",
    data_string_back: data.data_string ?? null,
  };
}

/** Says hello to a user who is known by a token. */
export class HelloConsumer extends JsonWebsocketConsumer<{ user: Member }> {
  override receiveJson(content: unknown): void | Promise<void> {
    const answer = answerTo(content);
    return answer === undefined ? undefined : this.sendJson(answer);
  }
}
