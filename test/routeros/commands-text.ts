import { convert } from "./convert.ts";
import { RouterError, ScriptFault } from "./faults.ts";
import type { Call, Handler } from "./interpreter.ts";
import { deserialize, serialize } from "./json.ts";
import { asNumber } from "./operators.ts";
import { ipPattern, readNumber, readTime, readWord } from "./parse-value.ts";
import type { Steps } from "./steps.ts";
import {
  bool,
  isAbsent,
  list,
  nil,
  nothing,
  num,
  str,
  time,
  toText,
  typeOf,
  type Value,
} from "./values.ts";
import { atLeast } from "./version.ts";

/** What the commands over values need to know of the router. */
export type TextOptions = Readonly<{ version: string; sha512: boolean }>;

/** The commands that only turn values into values. */
export function textCommands(options: TextOptions): [string, Handler][] {
  const of = (turn: (value: Value) => Value): Handler =>
    function* (call) {
      return turn(yield* call.value("value"));
    };
  return [
    [":len", of((value) => num(length(value)))],
    [":typeof", of((value) => str(typeOf(value)))],
    [":tostr", of((value) => str(toText(value)))],
    [":tonum", of(toNum)],
    [":tobool", of((value) => toBool(value, atLeast(options.version, "7.22")))],
    [":toarray", of(toArray)],
    [":toip", of((value) => (ipPattern.test(toText(value)) ? ip(value) : nil))],
    [":totime", of(toTime)],
    [":tonsec", of(toNanoseconds)],
    [":toid", of((value) => ({ kind: "id", text: toText(value) }))],
    [":pick", pick],
    [":find", find],
    [":range", range],
    [":convert", (call) => runConvert(call, options)],
    [":serialize", runSerialize],
    [":deserialize", runDeserialize],
  ];
}

const ip = (value: Value): Value => ({ kind: "ip", text: toText(value) });

function length(value: Value): number {
  return value.kind === "array" ? value.items.length + value.keyed.size : toText(value).length;
}

/** Digits or `0x…` become a number, anything else nil. */
function toNum(value: Value): Value {
  if (value.kind === "num") {
    return value;
  }
  if (value.kind === "str" || value.kind === "bool" || isAbsent(value)) {
    const read = readNumber(toText(value));
    return read === undefined ? nil : num(read);
  }
  throw new ScriptFault(`:tonum of ${typeOf(value)} is not established`);
}

/** Text becomes a boolean only since 7.22: before, `"yes"` is nil. */
function toBool(value: Value, castsText: boolean): Value {
  const text = toText(value);
  if (value.kind === "num") {
    return bool(value.num !== 0n);
  }
  if (value.kind === "bool") {
    return value;
  }
  if (!castsText) {
    return nil;
  }
  return /^(?:true|yes)$/.test(text) ? bool(true) : /^(?:false|no)$/.test(text) ? bool(false) : nil;
}

function toArray(value: Value): Value {
  if (value.kind === "array") {
    return value;
  }
  const text = toText(value);
  return list(text === "" ? [] : text.split(/[,;]/).map(readWord));
}

function toTime(value: Value): Value {
  if (value.kind === "num") {
    return time(value.num * 1_000_000_000n);
  }
  const text = toText(value);
  const read = /^\d+$/.test(text) ? BigInt(text) * 1_000_000_000n : readTime(text);
  return value.kind === "time" ? value : read === undefined ? nil : time(read);
}

function toNanoseconds(value: Value): Value {
  if (value.kind !== "time") {
    throw new ScriptFault(`:tonsec of ${typeOf(value)} is not established`);
  }
  return num(value.nanoseconds);
}

/** `:pick value begin end`: the end is exclusive; without it, one character or element. */
function* pick(call: Call): Steps<Value> {
  const value = yield* call.value("value");
  const begin = Number(asNumber(yield* call.value("begin")));
  const end = call.has("end") ? Number(asNumber(yield* call.value("end"))) : begin + 1;
  if (begin < 0 || end < 0) {
    throw new ScriptFault(":pick with a negative index is not established");
  }
  if (value.kind === "array") {
    return call.has("end") ? list(value.items.slice(begin, end)) : (value.items[begin] ?? nothing);
  }
  if (isAbsent(value)) {
    return nil;
  }
  const text = toText(value);
  return begin >= text.length ? nil : str(text.slice(begin, end));
}

/** The first place of `what` after `from` (so -1 searches all), or nil. */
function* find(call: Call): Steps<Value> {
  const within = yield* call.value("in");
  const what = yield* call.value("what");
  const from = call.has("from") ? Number(asNumber(yield* call.value("from"))) : -1;
  const place =
    within.kind === "array"
      ? within.items.findIndex(
          (item, index) => index > from && item.kind === what.kind && toText(item) === toText(what),
        )
      : toText(within).indexOf(toText(what), from + 1);
  return place < 0 ? nil : num(place);
}

function* range(call: Call): Steps<Value> {
  const from = asNumber(yield* call.value("from"));
  const to = asNumber(yield* call.value("to"));
  const step = call.has("step") ? asNumber(yield* call.value("step")) : 1n;
  if (step <= 0n) {
    throw new ScriptFault(":range with this step is not established");
  }
  const items: Value[] = [];
  for (let i = from; i <= to; i += step) {
    items.push(num(i));
  }
  return list(items);
}

function* runConvert(call: Call, options: TextOptions): Steps<Value> {
  if (!call.has("to") || !call.has("from")) {
    throw new ScriptFault(":convert guesses what from= or to= does not say: give both");
  }
  const text = toText(yield* call.value("value"));
  const from = yield* call.text("from");
  const to = yield* call.text("to");
  const transform = yield* call.text("transform");
  return str(convert(text, { from, to, transform, sha512: options.sha512 }));
}

function* runSerialize(call: Call): Steps<Value> {
  yield* onlyJson(call, "to");
  return str(serialize(yield* call.value("value"), yield* keepsStrings(call)));
}

function* runDeserialize(call: Call): Steps<Value> {
  yield* onlyJson(call, "from");
  return deserialize(yield* call.text("value"), yield* keepsStrings(call));
}

function* onlyJson(call: Call, parameter: string): Steps<void> {
  if ((yield* call.text(parameter)) !== "json") {
    throw new ScriptFault(`${call.name} ${parameter}= other than json is not implemented`);
  }
}

/** Before 7.17 there is no `options=`, and a script that has it does not load. */
function* keepsStrings(call: Call): Steps<boolean> {
  const option = yield* call.text("options");
  if (option === "") {
    return false;
  }
  if (option !== "json.no-string-conversion") {
    throw new RouterError("input does not match any value of options");
  }
  return true;
}
