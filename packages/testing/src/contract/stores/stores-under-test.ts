import type {
  MessageStore,
  RefreshTokenStore,
  RevocationStore,
  SessionStore,
  TicketStore,
  TokenStore,
  UserStore,
} from "@sluice/core";

/** The stores under test, empty or not: the tests make names of their own. */
export interface StoresUnderTest {
  readonly users: UserStore;
  readonly tokens: TokenStore;
  readonly refreshTokens: RefreshTokenStore;
  readonly tickets: TicketStore;
  /** Beside these users and these families of refresh tokens. */
  readonly revocations: RevocationStore;
  readonly sessions: SessionStore;
  readonly messages: MessageStore;
  close(): Promise<void>;
}
