import { createContext, runInContext } from "node:vm";
import { Check, Compile, Meta, type Validator } from "typebox/schema";
import { nestsTooDeep } from "../json/demand-bounded.ts";
import { Refusal } from "../refusal.ts";

/**
 * The JSON value an answer holds, bare or in a code fence; the text itself when it is none. One nested deeper than
 * 128 counts as text: what writes or checks a value goes down into it, and would run out of stack.
 */
export const resultOf = (text: string): unknown => {
  const bare = withoutFence(text);
  try {
    return nestsTooDeep(bare) ? text : (JSON.parse(bare) as unknown);
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

/** @param bytes about how large the value is, written as JSON */
export const schemaFault = (schema: object, value: unknown, bytes = 0): SchemaFault | null =>
  faultOf(() => Check(schema, value), bytes);

/** The same of an answer's text: what is nested too deep to be read fits no schema. */
export const answerFault = (schema: object, text: string): SchemaFault | null =>
  nestsTooDeep(withoutFence(text)) ? "misfit" : schemaFault(schema, resultOf(text), text.length);

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
  }, JSON.stringify(schema).length);
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
  const known = metaSchemas.get(draft);
  if (known !== undefined) {
    return known;
  }
  const compiled = Compile(Meta[draft]);
  // The first check of all takes 30 ms, which is no fault of the schema that comes first.
  compiled.Check(Meta[draft]);
  metaSchemas.set(draft, compiled);
  return compiled;
};

const faultOf = (check: () => boolean, bytes: number): SchemaFault | null => {
  try {
    return inTime(check, limitFor(bytes)) ? null : "misfit";
  } catch (error) {
    return isTimeout(error) ? "slow_schema" : "unusable_schema";
  }
};

/**
 * A schema comes from a caller: a pattern that never ends, or references that double, are cut off. Every other
 * request waits meanwhile, so that is soon; a large value honestly takes longer (6 KiB a millisecond were measured).
 * @returns milliseconds
 */
const limitFor = (bytes: number): number => Math.min(20 + Math.ceil(bytes / 4096), 100);

const isTimeout = (error: unknown): boolean =>
  // What Node throws here is of the context's own making: no Error of ours.
  (error as { code?: unknown }).code === "ERR_SCRIPT_EXECUTION_TIMEOUT";

/** Of this thread; Node 22 knows only the whole process. */
const cpuUsage = (process.threadCpuUsage ?? process.cpuUsage).bind(process);

/** As often a check is tried again that was cut off because other processes had the processor. */
const mostTries = 5;

const inTime = <Value>(work: () => Value, limitMs: number): Value => {
  for (let tries = 1; ; tries++) {
    const before = cpuUsage();
    try {
      return cutOffAfter(work, limitMs);
    } catch (error) {
      const { user, system } = cpuUsage(before);
      const isBusy = (user + system) / 1000 < limitMs * 0.8;
      if (!isTimeout(error) || !isBusy || tries === mostTries) {
        throw error;
      }
    }
  }
};

/** Node cuts off only what runs in a context; the context itself holds nothing but the work. */
const cutOffAfter = <Value>(work: () => Value, timeout: number): Value =>
  runInContext("work()", createContext({ work }), { timeout }) as Value;
