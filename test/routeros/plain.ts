import {
  bool,
  fromBytes,
  keyedArray,
  list,
  nothing,
  num,
  str,
  toBytes,
  toText,
  type Value,
} from "./values.ts";

/**
 * A value as a test writes it. Numbers beyond 2^53 come back as bigint, times, addresses and ids
 * as text, nothing and nil as undefined, a function as its `:tostr`.
 */
export type Plain =
  | undefined
  | boolean
  | number
  | bigint
  | string
  | readonly Plain[]
  | { readonly [key: string]: Plain };

export function toPlain(value: Value): Plain {
  switch (value.kind) {
    case "nothing":
    case "nil":
      return undefined;
    case "bool":
      return value.bool;
    case "num":
      return Number.isSafeInteger(Number(value.num)) ? Number(value.num) : value.num;
    case "array":
      return value.keyed.size === 0
        ? value.items.map(toPlain)
        : Object.fromEntries([
            ...value.items.map((item, index) => [String(index), toPlain(item)] as const),
            ...[...value.keyed].map(([key, item]) => [fromBytes(key), toPlain(item)] as const),
          ]);
    default:
      return fromBytes(toText(value));
  }
}

export function fromPlain(plain: Plain): Value {
  switch (typeof plain) {
    case "undefined":
      return nothing;
    case "boolean":
      return bool(plain);
    case "number":
    case "bigint":
      return num(plain);
    case "string":
      return str(toBytes(plain));
    default:
      return Array.isArray(plain)
        ? list((plain as readonly Plain[]).map(fromPlain))
        : keyedArray(
            Object.entries(plain).map(([key, item]) => [toBytes(key), fromPlain(item)] as const),
          );
  }
}
