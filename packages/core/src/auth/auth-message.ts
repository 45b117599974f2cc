/** The token in `{"type":"auth","token":"..."}`, the message that carries one; undefined for any other. */
export function authMessageToken(content: unknown): string | undefined {
  if (typeof content !== "object" || content === null || !("type" in content) || content.type !== "auth") {
    return undefined;
  }
  return "token" in content && typeof content.token === "string" ? content.token : undefined;
}
