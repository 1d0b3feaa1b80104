import { RouterError, ScriptFault } from "./faults.ts";
import { readNumber } from "./parse-value.ts";
import type { ArrayValue, Value } from "./values.ts";
import {
  bool,
  isAbsent,
  keyedArray,
  list,
  nothing,
  num,
  str,
  time,
  toText,
  typeOf,
} from "./values.ts";

type Operator = (left: Value, right: Value) => Value;

const arithmetic: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / nonZero(b),
  "%": (a, b) => a % nonZero(b),
  "|": (a, b) => a | b,
  "&": (a, b) => a & b,
  "^": (a, b) => a ^ b,
  "<<": (a, b) => a << shift(b),
  ">>": (a, b) => a >> shift(b),
};

const others: Readonly<Record<string, Operator>> = {
  ".": concatenate,
  ",": join,
  "=": (a, b) => bool(equal(a, b)),
  "!=": (a, b) => bool(!equal(a, b)),
  "<": (a, b) => bool(compare(a, b) < 0),
  ">": (a, b) => bool(compare(a, b) > 0),
  "<=": (a, b) => bool(compare(a, b) <= 0),
  ">=": (a, b) => bool(compare(a, b) >= 0),
  "~": (a, b) => bool(matches(a, b)),
  and: (a, b) => bool(truth(a) && truth(b)),
  or: (a, b) => bool(truth(a) || truth(b)),
  in: (a, b) => bool(within(a, b)),
  "->": element,
};

/** `left operator right`, as a router answers it; both sides are always evaluated. */
export function binary(operator: string, left: Value, right: Value): Value {
  const count = arithmetic[operator];
  return count === undefined
    ? other(operator)(left, right)
    : calculate(operator, count, left, right);
}

function other(operator: string): Operator {
  const found = others[operator];
  if (found === undefined) {
    throw new ScriptFault(`operator ${operator} is not known`);
  }
  return found;
}

export function unary(operator: string, operand: Value): Value {
  switch (operator) {
    case "!":
      return bool(!truth(operand));
    case "~":
      return num(~asNumber(operand));
    default:
      return operand.kind === "time" ? time(-operand.nanoseconds) : num(-asNumber(operand));
  }
}

/** A condition must be a boolean. */
export function truth(value: Value): boolean {
  if (value.kind === "bool") {
    return value.bool;
  }
  if (value.kind === "num") {
    return value.num !== 0n;
  }
  if (isAbsent(value)) {
    throw new ScriptFault("nothing where a condition is wanted: use :typeof or :len");
  }
  throw new RouterError(`cannot use ${typeOf(value)} as a condition`);
}

function calculate(
  operator: string,
  count: (a: bigint, b: bigint) => bigint,
  left: Value,
  right: Value,
): Value {
  if (left.kind === "time" || right.kind === "time") {
    return calculateTime(operator, left, right);
  }
  return num(count(asNumber(left), asNumber(right)));
}

function calculateTime(operator: string, left: Value, right: Value): Value {
  if (left.kind === "time" && right.kind === "time" && (operator === "+" || operator === "-")) {
    const sign = operator === "+" ? 1n : -1n;
    return time(left.nanoseconds + sign * right.nanoseconds);
  }
  throw new ScriptFault(`${typeOf(left)} ${operator} ${typeOf(right)} is not established`);
}

function nonZero(divisor: bigint): bigint {
  if (divisor === 0n) {
    throw new RouterError("division by zero");
  }
  return divisor;
}

function shift(count: bigint): bigint {
  if (count < 0n || count > 63n) {
    throw new ScriptFault(`a shift by ${count} is not established`);
  }
  return count;
}

/** A number, or a string of digits (arguments of a function arrive as strings). */
export function asNumber(value: Value): bigint {
  if (value.kind === "num") {
    return value.num;
  }
  const read = value.kind === "str" ? readNumber(value.text) : undefined;
  if (read !== undefined) {
    return read;
  }
  if (isAbsent(value)) {
    throw new ScriptFault("nothing where a number is wanted");
  }
  throw new RouterError(`cannot use ${typeOf(value)} as a number`);
}

function concatenate(left: Value, right: Value): Value {
  if (left.kind === "array" || right.kind === "array") {
    throw new ScriptFault("an array in a . concatenation spreads over its elements: :tostr it");
  }
  return str(toText(left) + toText(right));
}

function join(left: Value, right: Value): Value {
  const a = asArray(left);
  const b = asArray(right);
  return keyedArray([...a.keyed, ...b.keyed], [...a.items, ...b.items]);
}

function asArray(value: Value): ArrayValue {
  return value.kind === "array" ? value : list([value]);
}

/** Values of unlike kinds: a router converts in ways nobody has written down. */
function equal(left: Value, right: Value): boolean {
  if (isAbsent(left) || isAbsent(right)) {
    if (isBlank(left) && isBlank(right)) {
      throw new ScriptFault('nothing compared with nothing or "": use :typeof or :len');
    }
    return false;
  }
  if (isNumeric(left, right) || isNumeric(right, left)) {
    return asNumber(left) === asNumber(right);
  }
  const kinds = [left.kind, right.kind];
  if (kinds.includes("bool") && kinds.includes("num")) {
    return false;
  }
  if (left.kind !== right.kind || left.kind === "array" || left.kind === "function") {
    throw new ScriptFault(`${typeOf(left)} = ${typeOf(right)} is not established: convert first`);
  }
  return toText(left) === toText(right);
}

/** A number against a string of digits: the string is converted. */
const isNumeric = (number: Value, text: Value): boolean =>
  number.kind === "num" && text.kind === "str" && readNumber(text.text) !== undefined;

const isBlank = (value: Value): boolean =>
  isAbsent(value) || (value.kind === "str" && value.text === "");

function compare(left: Value, right: Value): number {
  if (left.kind === "time" && right.kind === "time") {
    return sign(left.nanoseconds - right.nanoseconds);
  }
  if (left.kind === "str" && right.kind === "str") {
    throw new RouterError("strings can only be compared with = and !=");
  }
  if (left.kind === "num" || right.kind === "num") {
    return sign(asNumber(left) - asNumber(right));
  }
  throw new ScriptFault(`${typeOf(left)} < ${typeOf(right)} is not established: convert first`);
}

const sign = (difference: bigint): number => (difference < 0n ? -1 : difference > 0n ? 1 : 0);

/** POSIX extended expressions: what they do not have would match something else on a router. */
function matches(left: Value, right: Value): boolean {
  const pattern = toText(right);
  if (/\(\?|\\[dwsbDWSB]|[*+?]\?/.test(pattern)) {
    throw new ScriptFault(`~ "${pattern}": not a POSIX expression`);
  }
  return new RegExp(pattern, "s").test(toText(left));
}

function within(left: Value, right: Value): boolean {
  if (left.kind !== "ip" || right.kind !== "ip-prefix") {
    throw new ScriptFault(`${typeOf(left)} in ${typeOf(right)} is not established`);
  }
  const [network = "", length = "32"] = right.text.split("/");
  const bits = 32n - BigInt(length);
  return address(left.text) >> bits === address(network) >> bits;
}

const address = (text: string): bigint =>
  text.split(".").reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);

/** `array->key`: nothing where there is none. */
function element(array: Value, key: Value): Value {
  if (isAbsent(array)) {
    return nothing;
  }
  if (array.kind !== "array") {
    throw new ScriptFault(`-> on ${typeOf(array)} is not established`);
  }
  if (key.kind === "num") {
    return array.items[Number(key.num)] ?? nothing;
  }
  return array.keyed.get(toText(key)) ?? nothing;
}

/** The array with `key` set to `value`, or without it if the value is nothing. */
export function withElement(array: Value, key: Value, value: Value): Value {
  if (array.kind !== "array") {
    throw new ScriptFault(`:set of an element on ${typeOf(array)}: make it an array first`);
  }
  if (key.kind === "num") {
    const items = [...array.items];
    if (key.num < 0n || Number(key.num) > items.length) {
      throw new ScriptFault(`:set of element ${key.num} of ${items.length} is not established`);
    }
    items[Number(key.num)] = value;
    return { ...array, items };
  }
  const name = toText(key);
  const rest = [...array.keyed].filter(([known]) => known !== name);
  return keyedArray(value.kind === "nothing" ? rest : [...rest, [name, value]], array.items);
}
