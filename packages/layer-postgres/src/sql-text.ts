/**
 * Any text as an expression of SQL. Base64 has no character that could end the literal, whatever the session's settings:
 * so it is safe where a statement cannot have parameters.
 */
export function textExpression(text: string): string {
  return `convert_from(decode('${Buffer.from(text).toString("base64")}', 'base64'), 'UTF8')`;
}

/** A name as an identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Texts as one parameter of the type `text[]`. */
export function textArray(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replace(/["\\]/g, "\\$&")}"`).join(",")}}`;
}
