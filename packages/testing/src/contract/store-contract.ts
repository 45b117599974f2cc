import { afterAll, beforeAll, describe } from "vitest";
import { messagesContract } from "./stores/messages.js";
import { refreshTokensContract } from "./stores/refresh-tokens.js";
import { revocationsContract } from "./stores/revocations.js";
import { sessionsContract } from "./stores/sessions.js";
import type { StoresUnderTest } from "./stores/stores-under-test.js";
import { ticketsContract } from "./stores/tickets.js";
import { tokensContract } from "./stores/tokens.js";
import { usersContract } from "./stores/users.js";

export type { StoresUnderTest } from "./stores/stores-under-test.js";

export interface StoreContract {
  readonly name: string;
  /** Called once. */
  open(): Promise<StoresUnderTest>;
}

/** Tests what each of the stores promises. */
export function storeContract(contract: StoreContract): void {
  describe(`${contract.name} as a store`, () => {
    let stores: StoresUnderTest;
    beforeAll(async () => {
      stores = await contract.open();
    });
    afterAll(() => stores.close());

    describe("users", () => usersContract(() => stores));
    describe("tokens", () => tokensContract(() => stores));
    describe("refresh tokens", () => refreshTokensContract(() => stores));
    describe("tickets", () => ticketsContract(() => stores));
    describe("revocations", () => revocationsContract(() => stores));
    describe("sessions", () => sessionsContract(() => stores));
    describe("messages", () => messagesContract(() => stores));
  });
}
