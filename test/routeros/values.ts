import type { Scope } from "./scope.ts";
import type { Block } from "./syntax.ts";

/**
 * A RouterOS value. Strings hold bytes: one JavaScript character (0–255) is one byte.
 * `nothing` is a variable without a value or a missing array key; `nil` is a failed `:find`.
 */
export type Value =
  | { readonly kind: "nothing" }
  | { readonly kind: "nil" }
  | { readonly kind: "bool"; readonly bool: boolean }
  | { readonly kind: "num"; readonly num: bigint }
  | { readonly kind: "str"; readonly text: string }
  | { readonly kind: "time"; readonly nanoseconds: bigint }
  | { readonly kind: "ip"; readonly text: string }
  | { readonly kind: "ip-prefix"; readonly text: string }
  | { readonly kind: "id"; readonly text: string }
  | { readonly kind: "array"; readonly items: readonly Value[]; readonly keyed: Keyed }
  | { readonly kind: "function"; readonly body: Block; readonly definedIn: Scope }
  | { readonly kind: "code"; readonly body: Block; readonly source: string };

type Keyed = ReadonlyMap<string, Value>;
export type ArrayValue = Extract<Value, { kind: "array" }>;

export const nothing: Value = { kind: "nothing" };
export const nil: Value = { kind: "nil" };
export const yes: Value = { kind: "bool", bool: true };
export const no: Value = { kind: "bool", bool: false };

export const bool = (is: boolean): Value => (is ? yes : no);
export const str = (text: string): Value => ({ kind: "str", text });

/** A number, wrapped to 64 signed bits as a router does. */
export const num = (value: bigint | number): Value => ({
  kind: "num",
  num: BigInt.asIntN(64, BigInt(value)),
});

export const time = (nanoseconds: bigint): Value => ({ kind: "time", nanoseconds });

export const list = (items: readonly Value[]): ArrayValue => ({
  kind: "array",
  items,
  keyed: new Map(),
});

/** An array with keys; a router keeps keys sorted, whatever order they were written in. */
export function keyedArray(
  entries: Iterable<readonly [string, Value]>,
  items: readonly Value[] = [],
): ArrayValue {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return { kind: "array", items, keyed: new Map(sorted) };
}

export const isAbsent = (value: Value): boolean => value.kind === "nothing" || value.kind === "nil";

/** The word `:typeof` answers; a `do={}` function is an array to a router. */
export function typeOf(value: Value): string {
  return value.kind === "function" ? "array" : value.kind;
}

const second = 1_000_000_000n;

/** A time as a router writes it: `1w2d03:04:05`, with a fraction if there is one. */
function timeText(nanoseconds: bigint): string {
  const sign = nanoseconds < 0n ? "-" : "";
  const whole = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const seconds = whole / second;
  const fraction = whole % second;
  const weeks = seconds / 604_800n;
  const days = (seconds / 86_400n) % 7n;
  const clock = [(seconds / 3600n) % 24n, (seconds / 60n) % 60n, seconds % 60n]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
  const tail = fraction === 0n ? "" : `.${String(fraction).padStart(9, "0")}`;
  return `${sign}${weeks > 0n ? `${weeks}w` : ""}${days > 0n ? `${days}d` : ""}${clock}${tail}`;
}

/** What a value looks like inside a string, in `:put` and after `:tostr`. */
export function toText(value: Value): string {
  switch (value.kind) {
    case "nothing":
    case "nil":
      return "";
    case "bool":
      return String(value.bool);
    case "num":
      return String(value.num);
    case "time":
      return timeText(value.nanoseconds);
    case "array":
      return [
        ...value.items.map(toText),
        ...[...value.keyed].map(([key, item]) => `${key}=${toText(item)}`),
      ].join(";");
    case "function":
      return ";(evl ...)";
    case "code":
      return "(code)";
    case "str":
    case "ip":
    case "ip-prefix":
    case "id":
      return value.text;
  }
}

/** UTF-8 text as a router holds it: one character per byte. */
export const toBytes = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

/** Bytes back to text, as UTF-8. */
export const fromBytes = (bytes: string): string => Buffer.from(bytes, "latin1").toString("utf8");
