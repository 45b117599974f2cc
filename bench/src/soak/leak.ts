/** What the application can do wrong on purpose: `members` keeps memberships for ever, `scopes` keeps every scope. */
export const leaks = ["members", "scopes"] as const;

export type Leak = (typeof leaks)[number];

export function isLeak(name: string): name is Leak {
  return leaks.some((leak) => leak === name);
}
