import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { FieldFaults } from "../accounts/accounts.js";

/** How a text field may come; the words for how it must not are Django REST framework's. */
interface FieldRule {
  readonly required: boolean;
  readonly allowBlank?: boolean;
}

/**
 * Reads text fields from a body of JSON, a form or multipart, whichever the client sent. Answers for itself, by an
 * `HTTPException`, where it cannot: 400 with the faults by field, or 415.
 */
export async function readFields<Name extends string>(
  context: Context,
  rules: Readonly<Record<Name, FieldRule>>,
): Promise<Record<Name, string>> {
  const body = await readBody(context);
  const faults: Record<string, string[]> = {};
  const fields = {} as Record<Name, string>;
  for (const name of Object.keys(rules) as Name[]) {
    const value = body[name];
    const fault = faultOf(value, rules[name]);
    if (fault === undefined) fields[name] = value === undefined ? "" : String(value);
    else faults[name] = [fault];
  }
  if (Object.keys(faults).length > 0) throw badRequest(faults);
  return fields;
}

/** A 400 whose body names what is wrong. */
export function badRequest(content: FieldFaults | { readonly detail: string }): HTTPException {
  return new HTTPException(400, { res: Response.json(content, { status: 400 }) });
}

function faultOf(value: unknown, rule: FieldRule): string | undefined {
  if (value === undefined) return rule.required ? "This field is required." : undefined;
  if (value === null) return "This field may not be null.";
  if (typeof value !== "string" && typeof value !== "number") return "Not a valid string.";
  if (String(value).includes("\0")) return "Null characters are not allowed.";
  return value === "" && rule.allowBlank !== true ? "This field may not be blank." : undefined;
}

async function readBody({ req }: Context): Promise<Record<string, unknown>> {
  const type = (req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  switch (type) {
    case "application/json":
      return readJson(await req.text());
    case "application/x-www-form-urlencoded":
    case "multipart/form-data":
      try {
        return Object.fromEntries(await req.formData());
      } catch {
        throw badRequest({ detail: "Form parse error - the body is not what its content type says." });
      }
    default:
      if (type === "" && (await req.text()) === "") return {};
      throw new HTTPException(415, {
        res: Response.json({ detail: `Unsupported media type "${type}" in request.` }, { status: 415 }),
      });
  }
}

function readJson(text: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    // The engine's own message would quote the body, password and all.
    throw badRequest({ detail: "JSON parse error - expected a JSON object." });
  }
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    const kind = content === null ? "null" : Array.isArray(content) ? "a list" : typeof content;
    throw badRequest({ non_field_errors: [`Invalid data. Expected a dictionary, but got ${kind}.`] });
  }
  return { ...content };
}
