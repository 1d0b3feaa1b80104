import { createContext, runInContext } from "node:vm";
import { Check, Compile, Meta, type Validator } from "typebox/schema";
import { Refusal } from "../refusal.ts";

/** A schema comes from a caller: a pattern that never ends (or a reference to itself) is cut off. */
const checkLimitMs = 100;

/** The JSON value an answer holds, bare or in a code fence; the text itself when it is none. */
export const resultOf = (text: string): unknown => {
  try {
    return JSON.parse(withoutFence(text)) as unknown;
  } catch {
    return text;
  }
};

/**
 * What stands between a first line ``` or ```json and a last line ```; any other text as it is.
 * By hand and not by pattern: a model can be made to write the text that a pattern takes minutes over.
 */
const withoutFence = (text: string): string => {
  const fenced = text.trim();
  const start = fenced.indexOf("\n");
  const end = fenced.lastIndexOf("\n");
  const isFenced =
    start < end &&
    ["```", "```json"].includes(fenced.slice(0, start).trimEnd()) &&
    fenced.slice(end).trimStart() === "```";
  return isFenced ? fenced.slice(start, end) : text;
};

/** Why a value cannot be said to fit a JSON Schema; null when it does fit. */
export type SchemaFault = "misfit" | "unusable_schema" | "slow_schema";

export const schemaFault = (schema: object, value: unknown): SchemaFault | null =>
  faultOf(() => Check(schema, value));

/**
 * @throws Refusal `invalid_request` for a schema that is seen to be none, or to take too long, before
 *   upstream is asked
 */
export const demandUsableSchema = (schema: object): void => {
  // Of the second check only the errors count: nothing needs to fit a sample.
  const metaSchema = metaSchemaOf(schema);
  const fault = faultOf(() => {
    const isSchema = metaSchema.Check(schema);
    for (const sample of [null, "", {}]) {
      Check(schema, sample);
    }
    return isSchema;
  });
  if (fault !== null) {
    throw new Refusal(
      "invalid_request",
      fault === "slow_schema"
        ? "json_schema: checking a value against it takes too long. Simplify it."
        : "json_schema: this is not a JSON Schema that can be checked. See json-schema.org.",
    );
  }
};

type Draft = keyof typeof Meta;

const latest: Draft = "https://json-schema.org/draft/2020-12/schema";
const metaSchemas = new Map<Draft, Validator>();

/** What JSON Schema says of schemas, in the version this one names. Compiled once: checked plainly it takes long. */
const metaSchemaOf = (schema: object): Validator => {
  const named = "$schema" in schema ? String(schema.$schema) : latest;
  const draft = Object.hasOwn(Meta, named) ? (named as Draft) : latest;
  const compiled = metaSchemas.get(draft) ?? Compile(Meta[draft]);
  metaSchemas.set(draft, compiled);
  return compiled;
};

const faultOf = (check: () => boolean): SchemaFault | null => {
  try {
    return inTime(check) ? null : "misfit";
  } catch (error) {
    // What Node throws here is of the context's own making: no Error of ours.
    const { code } = error as { code?: unknown };
    return code === timeoutCode ? "slow_schema" : "unusable_schema";
  }
};

const timeoutCode = "ERR_SCRIPT_EXECUTION_TIMEOUT";

/** Node cuts off only what runs in a context; the context itself holds nothing but the work. */
const inTime = <Value>(work: () => Value): Value =>
  runInContext("work()", createContext({ work }), { timeout: checkLimitMs }) as Value;
