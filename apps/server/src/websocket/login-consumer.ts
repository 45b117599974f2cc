import { type BadMessage, type Cancel, JsonWebsocketConsumer } from "@sluice/core";
import { z } from "zod";
import type { Noted } from "../access-log.js";
import type { Member, Services } from "../services.js";
import { Throttled } from "../throttle/throttled.js";
import { answerTo } from "./hello-consumer.js";

const credentials = z.object({ username: z.string().max(2_000), password: z.string().max(2_000) });

type Credentials = z.infer<typeof credentials>;

/** Milliseconds a stranger may keep a connection open without logging in. */
const loginTimeout = 30_000;

/**
 * Logs a user in by the first message, `{"username": "...", "password": "..."}`. From then on the connection is that
 * user's, and answers what the hello route answers.
 */
export class LoginConsumer extends JsonWebsocketConsumer<{ services: Services } & Noted> {
  #user: Member | undefined;
  #cancelTimeout: Cancel | undefined;

  override async connect(): Promise<void> {
    await this.accept();
    this.#cancelTimeout = this.scope.services.clock.after(
      loginTimeout,
      () => void this.close(4408, "no login in time"),
    );
  }

  override async receiveJson(content: unknown): Promise<void> {
    if (this.#user === undefined) return this.#logIn(content);
    const answer = answerTo(content);
    if (answer !== undefined) await this.sendJson(answer);
  }

  override receiveError(error: BadMessage): void | Promise<void> {
    return this.#user === undefined ? this.#refuse() : super.receiveError(error);
  }

  override disconnect(): void {
    this.#cancelTimeout?.();
  }

  async #logIn(content: unknown): Promise<void> {
    const { data } = credentials.safeParse(content);
    const user = data && (await this.#authenticate(data));
    if (user === undefined) return this.#refuse();
    if (user instanceof Throttled) return this.#putOff(user);
    this.#cancelTimeout?.();
    this.#user = user;
    this.scope.notes.username = user.username;
    await this.sendJson({ status: "success", message: "Authentication successful" });
  }

  async #authenticate({ username, password }: Credentials): Promise<Member | Throttled | undefined> {
    try {
      return await this.scope.services.accounts.authenticate(username, password, this.scope.client);
    } catch (error) {
      if (error instanceof Throttled) return error;
      throw error;
    }
  }

  async #putOff({ detail: message, retryAfter }: Throttled): Promise<void> {
    await this.sendJson({ status: "error", message, retry_after: retryAfter });
    await this.close(4429, "throttled");
  }

  async #refuse(): Promise<void> {
    await this.sendJson({ status: "error", message: "Invalid credentials" });
    await this.close(4401, "invalid credentials");
  }
}
