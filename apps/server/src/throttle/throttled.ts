import { DenyConnection } from "@sluice/core";

/** Too many failures: to be tried again later. The words are those of Django REST framework. */
export class Throttled extends DenyConnection {
  readonly detail: string;
  /** Whole seconds, at least 1 (RFC 9110 10.2.3). */
  readonly retryAfter: number;

  /** `wait` is in milliseconds. */
  constructor(wait: number) {
    const retryAfter = Math.max(1, Math.ceil(wait / 1000));
    const detail = `Request was throttled. Expected available in ${retryAfter} second${retryAfter === 1 ? "" : "s"}.`;
    super({
      status: 429,
      closeCode: 4429,
      headers: [
        ["content-type", "application/json"],
        ["retry-after", `${retryAfter}`],
      ],
      body: JSON.stringify({ detail }),
    });
    this.detail = detail;
    this.retryAfter = retryAfter;
  }
}
