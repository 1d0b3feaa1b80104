import { randomInt } from "node:crypto";
import { RouterError, ScriptFault } from "./faults.ts";
import type { Call, Handler } from "./interpreter.ts";
import { asNumber } from "./operators.ts";
import { parseScript } from "./parser.ts";
import { finish, type Steps, wait } from "./steps.ts";
import {
  fromBytes,
  nil,
  nothing,
  num,
  str,
  time,
  toBytes,
  toText,
  typeOf,
  type Value,
} from "./values.ts";

/** What the router's surroundings give to a script. */
export type Surroundings = Readonly<{
  /** Milliseconds since 1970, UTC. */
  clock: () => number;
  delay: (milliseconds: number) => Promise<void>;
  resolve: (host: string) => string | undefined;
  putLines: string[];
  log: (topic: string, message: string) => void;
  /** Jobs of `:execute`: they run beside the script. */
  jobs: Promise<void>[];
}>;

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/** A script's text may not be longer than this. */
export const sourceLimit = 65_535;

/** Output, clock, chance, and scripts within scripts. */
export function systemCommands(around: Surroundings): [string, Handler][] {
  return [
    [":put", (call) => put(call, around)],
    [":log", (call) => log(call, around)],
    ...["debug", "info", "warning", "error"].map((topic): [string, Handler] => [
      `/log ${topic}`,
      function* (call: Call) {
        around.log(topic, fromBytes(yield* call.text("message")));
        return nothing;
      },
    ]),
    [":timestamp", () => time(BigInt(Math.round(around.clock() * 1000)) * 1000n)],
    [":delay", (call) => delay(call, around)],
    [":rndstr", randomString],
    [":rndnum", randomNumber],
    [":time", (call) => measure(call, around)],
    [":parse", parse],
    [":execute", (call) => execute(call, around)],
    [":environment", (call) => environment(call, around)],
    [":resolve", (call) => resolve(call, around)],
    [":jobname", () => str("")],
  ];
}

function* put(call: Call, around: Surroundings): Steps<Value> {
  around.putLines.push(fromBytes(toText(yield* call.value("message"))));
  return nothing;
}

function* log(call: Call, around: Surroundings): Steps<Value> {
  const topic = yield* call.text("topic");
  if (!["debug", "info", "warning", "error"].includes(topic)) {
    throw new ScriptFault(`:log ${topic}: no such topic`);
  }
  around.log(topic, fromBytes(yield* call.text("message")));
  return nothing;
}

/** Milliseconds of a time, or of a number of seconds. */
export function milliseconds(value: Value): number {
  return value.kind === "time"
    ? Number(value.nanoseconds / 1_000_000n)
    : Number(asNumber(value)) * 1000;
}

function* delay(call: Call, around: Surroundings): Steps<Value> {
  const asked = call.has("delay-time") ? milliseconds(yield* call.value("delay-time")) : 1000;
  yield* wait(around.delay(asked));
  return nothing;
}

function* randomString(call: Call): Steps<Value> {
  const length = call.has("length") ? Number(asNumber(yield* call.value("length"))) : 16;
  const from = call.has("from") ? yield* call.text("from") : alphabet;
  return str(Array.from({ length }, () => from.charAt(randomInt(from.length))).join(""));
}

function* randomNumber(call: Call): Steps<Value> {
  const from = asNumber(yield* call.value("from"));
  const to = asNumber(yield* call.value("to"));
  return num(from + BigInt(randomInt(Number(to - from) + 1)));
}

function* measure(call: Call, around: Surroundings): Steps<Value> {
  const body = call.block("command");
  const start = around.clock();
  if (body !== undefined) {
    yield* call.interpreter.runBlock(body, call.scope.child());
  }
  return time(BigInt(Math.round((around.clock() - start) * 1000)) * 1000n);
}

/** A block given in place of text is the text between its braces. */
function* scriptText(call: Call): Steps<string> {
  const text = call.block("script")?.source ?? (yield* call.text("script"));
  if (text.length > sourceLimit) {
    throw new RouterError("script is too long");
  }
  return text;
}

function* parse(call: Call): Steps<Value> {
  const source = yield* scriptText(call);
  return { kind: "code", body: parseScript(source, call.interpreter.grammar), source };
}

/** Runs beside the script that asked: its errors reach only the log. */
function* execute(call: Call, around: Surroundings): Steps<Value> {
  const source = yield* scriptText(call);
  const started = finish(runApart(call, source, around));
  if (call.flags.has("as-string")) {
    const before = around.putLines.length;
    yield* wait(started);
    return str(
      around.putLines
        .splice(before)
        .map((line) => `${toBytes(line)}\n`)
        .join(""),
    );
  }
  around.jobs.push(started);
  return { kind: "id", text: `*${around.jobs.length.toString(16).toUpperCase()}` };
}

function* runApart(call: Call, source: string, around: Surroundings): Steps<void> {
  try {
    yield* call.interpreter.run(source);
  } catch (thrown) {
    if (!(thrown instanceof RouterError)) {
      throw thrown;
    }
    around.log("error", `executing script failed: ${fromBytes(thrown.message)}`);
  }
}

function environment(call: Call, around: Surroundings): Value {
  for (const [name, value] of call.interpreter.globals) {
    around.putLines.push(`${name}=${typeOf(value) === "code" ? "(code)" : toText(value)}`);
  }
  return nothing;
}

function* resolve(call: Call, around: Surroundings): Steps<Value> {
  const host = yield* call.text("domain-name");
  const address = around.resolve(host);
  if (address === undefined) {
    throw new RouterError("failure: dns name does not exist");
  }
  return address === "" ? nil : { kind: "ip", text: address };
}
