import { RouterError, ScriptFault } from "./faults.ts";
import { readWord } from "./parse-value.ts";
import {
  bool,
  fromBytes,
  keyedArray,
  list,
  nil,
  num,
  str,
  toBytes,
  toText,
  type Value,
} from "./values.ts";

const numeric = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * JSON text of a value. A string that looks like a number becomes one (`"1234"` →
 * `1234.000000`) unless `keepStrings`.
 */
export function serialize(value: Value, keepStrings: boolean): string {
  switch (value.kind) {
    case "nothing":
    case "nil":
      return "null";
    case "bool":
    case "num":
      return toText(value);
    case "array": {
      const items = value.items.map((item) => serialize(item, keepStrings));
      const keyed = [...value.keyed].map(
        ([key, item]) => `${quote(key)}:${serialize(item, keepStrings)}`,
      );
      if (items.length > 0 && keyed.length > 0) {
        throw new ScriptFault(":serialize of an array with and without keys is not established");
      }
      return keyed.length > 0 ? `{${keyed.join(",")}}` : `[${items.join(",")}]`;
    }
    case "str":
      return !keepStrings && numeric.test(value.text)
        ? Number(value.text).toFixed(6)
        : quote(value.text);
    default:
      return quote(toText(value));
  }
}

function quote(bytes: string): string {
  const text = fromBytes(bytes);
  if (toBytes(text) !== bytes) {
    throw new ScriptFault(":serialize of bytes that are not UTF-8 is not established");
  }
  return toBytes(JSON.stringify(text));
}

/** The value of JSON text (bytes); text in quotes changes its type unless `keepStrings`. */
export function deserialize(bytes: string, keepStrings: boolean): Value {
  let parsed: unknown;
  try {
    parsed = JSON.parse(fromBytes(bytes), written as Parameters<typeof JSON.parse>[1]);
  } catch {
    throw new RouterError("failed to parse JSON");
  }
  return toValue(parsed, keepStrings);
}

/** A number as it was written: a router's are 64 bits wide, JavaScript's 53. */
class WrittenNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

function written(_key: string, value: unknown, context: { source?: string }): unknown {
  return typeof value === "number" ? new WrittenNumber(context.source ?? String(value)) : value;
}

function toValue(parsed: unknown, keepStrings: boolean): Value {
  if (parsed === null) {
    return nil;
  }
  if (typeof parsed === "boolean") {
    return bool(parsed);
  }
  if (parsed instanceof WrittenNumber) {
    return toNumber(parsed.text);
  }
  if (typeof parsed === "string") {
    return keepStrings ? str(toBytes(parsed)) : inferred(toBytes(parsed));
  }
  if (Array.isArray(parsed)) {
    return list(parsed.map((item) => toValue(item, keepStrings)));
  }
  const entries = Object.entries(parsed as Record<string, unknown>);
  return keyedArray(entries.map(([key, item]) => [toBytes(key), toValue(item, keepStrings)]));
}

/** Text that looks like a number, an address or a time becomes one. */
function inferred(text: string): Value {
  if (numeric.test(text)) {
    return toNumber(text);
  }
  const value = readWord(text);
  return value.kind === "ip" || value.kind === "ip-prefix" || value.kind === "time"
    ? value
    : str(text);
}

/** There are no fractions on a router: a number that has one stays text. */
function toNumber(text: string): Value {
  return /^[+-]?\d+$/.test(text) ? num(BigInt(text)) : str(Number(text).toFixed(6));
}
