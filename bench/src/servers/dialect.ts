/** What a client says, or waits for, one text message each. */
export interface Step {
  readonly say?: string;
  readonly hear?: string | RegExp;
}

/** How a handshake is answered that is refused. */
export interface Refusal {
  /** Of the answer to the GET. 101 where the refusal comes in messages: then `opening` ends in it. */
  readonly status: number;
  opening?(token: string | undefined, path: string): readonly Step[];
}

/** How a contestant's clients speak beyond RFC 6455; plain WebSocket where nothing else is said. */
export interface Dialect {
  /** The target of the handshake's GET. */
  target(path: string, token: string | undefined): string;
  /** What follows the 101, until the connection counts as open. */
  opening?(token: string | undefined, path: string): readonly Step[];
  /** A text of the client's as it goes over the wire, and one of the wire as the client hears it; as it is if left out. */
  say?(text: string, path: string): string;
  hear?(text: string, path: string): string;
  /** Binary messages are no single frames here: they cannot be compared. */
  readonly textOnly?: true;
  readonly refusals: {
    /** Of a page of another site's. */
    readonly origin: Refusal;
    /** For want of a token, and for one that is forged or expired. */
    readonly token: Refusal;
  };
}

/** A WebSocket as a browser opens it, with the token in the query. */
export const plain: Dialect = {
  target: (path, token) => (token === undefined ? path : `${path}?token=${token}`),
  refusals: { origin: { status: 403 }, token: { status: 401 } },
};

/** Django Channels knows one refusal: who closes a connection before it is accepted answers by 403. */
export const plainWithoutStatus: Dialect = {
  ...plain,
  refusals: { origin: { status: 403 }, token: { status: 403 } },
};
