import { JsonWebsocketConsumer } from "@sluice/core";
import { z } from "zod";
import type { Noted } from "../access-log.js";
import { InvalidFields } from "../accounts/accounts.js";
import { originOf } from "../accounts/logins.js";
import { userData } from "../chat/user-data.js";
import type { Services } from "../services.js";
import { Throttled } from "../throttle/throttled.js";

/** Longer than anything that could be right: the rules of each field are told by name. */
const field = z.string().max(2_000);

const command = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("register"),
    data: z.object({ name: field.default(""), user_name: field, password: field }),
  }),
  z.object({ type: z.literal("login"), data: z.object({ user_name: field, password: field }) }),
]);

type Command = z.infer<typeof command>;

/** Registers users and logs them in, over a socket that stays open whatever the answer is. */
export class AccountConsumer extends JsonWebsocketConsumer<{ services: Services } & Noted, {}, Command> {
  static readonly schema = command;

  override async receiveJson(content: Command): Promise<void> {
    try {
      await (content.type === "register" ? this.#register(content.data) : this.#logIn(content.data));
    } catch (error) {
      if (!(error instanceof Throttled)) throw error;
      const { detail: message, retryAfter } = error;
      await this.sendJson({ type: "error", code: "throttled", message, retry_after: retryAfter });
    }
  }

  async #register(data: { name: string; user_name: string; password: string }): Promise<void> {
    try {
      const { services, client } = this.scope;
      const registration = { username: data.user_name, name: data.name, password: data.password };
      const user = await services.accounts.signUp(registration, client);
      await this.sendJson({ type: "registered", data: { user: userData(user) } });
    } catch (error) {
      if (!(error instanceof InvalidFields)) throw error;
      await this.sendJson({ type: "error", code: "invalid", message: error.message, fields: error.fields });
    }
  }

  async #logIn(data: { user_name: string; password: string }): Promise<void> {
    const credentials = { username: data.user_name, password: data.password };
    const login = await this.scope.services.logins.byJwt(credentials, originOf(this.scope));
    if (login === undefined) {
      await this.sendJson({
        type: "error",
        code: "invalid_credentials",
        message: "Unable to log in with provided credentials.",
      });
      return;
    }
    const { user, tokens } = login;
    const { access, refresh } = tokens;
    this.scope.notes.username = user.username;
    await this.sendJson({ type: "loggedIn", data: { token: access, refresh, user: userData(user) } });
  }
}
