import { parseSync } from "@swc/core";

/** A node of the syntax tree, of whatever kind, and what hangs below it. */
type Branch = Readonly<Record<string, unknown>>;

/**
 * The full names of the tests in a source, as `group > test`. A name that is a template stands as it does in the source.
 * Groups that have no name there, such as `describePostgres(() => …)`, and those that another file puts around, add
 * nothing. What is always skipped or left to do is no test.
 */
export function testNames(source: string): string[] {
  const bytes = Buffer.from(source);
  const names: string[] = [];

  const nameIn = (call: Branch): string | undefined => {
    const [first] = call.arguments as Branch[];
    const { type, value, span } = (first?.expression ?? {}) as Branch;
    if (type === "StringLiteral") return String(value);
    if (type !== "TemplateLiteral") return undefined;
    const { start, end } = span as { start: number; end: number };
    // A place in the source is in bytes, and the first is 1; the backticks are left out.
    return String(bytes.subarray(start, end - 2));
  };

  const collect = (branch: unknown, groups: readonly string[]): void => {
    if (Array.isArray(branch)) {
      for (const item of branch) collect(item, groups);
    } else if (isBranch(branch)) {
      const words = branch.type === "CallExpression" ? wordsOf(branch.callee) : [];
      const name = words.length > 0 ? nameIn(branch) : undefined;
      const path = name === undefined ? groups : [...groups, name];
      if (words.some((word) => word === "skip" || word === "todo")) return;
      if (name !== undefined && /^(it|test)/.test(words[0] ?? "")) names.push(path.join(" > "));
      for (const child of Object.values(branch)) collect(child, path);
    }
  };

  collect(parseSync(source, { syntax: "typescript", target: "es2022" }).body, []);
  return names;
}

const isBranch = (value: unknown): value is Branch => typeof value === "object" && value !== null;

/** What is called, in its words, if it makes a group or a test: `describe.skipIf(…)` is "describe" and "skipIf". */
function wordsOf(callee: unknown): string[] {
  if (!isBranch(callee)) return [];
  if (callee.type === "Identifier")
    return /^(describe|it|test)([A-Z]|$)/.test(String(callee.value)) ? [String(callee.value)] : [];
  if (callee.type === "CallExpression") return wordsOf(callee.callee);
  if (callee.type !== "MemberExpression") return [];
  const words = wordsOf(callee.object);
  return words.length === 0 ? [] : [...words, String((callee.property as Branch).value)];
}
