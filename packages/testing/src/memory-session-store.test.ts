import { describe } from "vitest";
import { sessionStoreContract } from "./contract/session-store-contract.js";
import { MemorySessionStore } from "./memory-session-store.js";

describe("MemorySessionStore as a session store", () => {
  const sessions = new MemorySessionStore();
  sessionStoreContract(() => ({ sessions, createUser: async () => crypto.randomUUID() }));
});
