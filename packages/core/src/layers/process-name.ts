/** A name that a process has among all others, by chance: 16 hexadecimal digits. */
export function processName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
