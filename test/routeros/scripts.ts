import { sourceLimit } from "./commands-system.ts";
import { ExitSignal, RouterError } from "./faults.ts";
import type { Call, Handler, Interpreter } from "./interpreter.ts";
import type { MenuRows, Row } from "./menu-rows.ts";
import type { Steps } from "./steps.ts";
import { bool, fromBytes, nothing, num, str, time, toText, type Value } from "./values.ts";

export type Stored = Readonly<{
  scripts: MenuRows;
  schedulers: MenuRows;
  files: MenuRows;
  log: (topic: string, message: string) => void;
  /** Throws if the running script's policy lacks one of these. */
  demand: (...policies: string[]) => void;
  /** Runs `body` with no more than these policies. */
  withPolicies: <T>(policies: ReadonlySet<string>, body: () => Steps<T>) => Steps<T>;
}>;

const everyPolicy = "ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon";

/** `/system script run` and `/import`. */
export function scriptCommands(stored: Stored): [string, Handler][] {
  return [
    ["/system script run", (call) => runScript(call, stored)],
    ["/import", (call) => importFile(call, stored)],
  ];
}

function* runScript(call: Call, { scripts, demand }: Stored): Steps<Value> {
  demand("read");
  const [row] = scripts.pick(yield* call.value("number"));
  if (row === undefined) {
    throw new RouterError("no such item");
  }
  const runs = row.values.get("run-count");
  row.values.set("run-count", num(runs?.kind === "num" ? runs.num + 1n : 1n));
  return yield* runSource(call.interpreter, toText(row.values.get("source") ?? nothing));
}

function* importFile(call: Call, { files, demand }: Stored): Steps<Value> {
  demand("read", "write");
  const file = files.named(yield* call.text("file-name"));
  if (file === undefined) {
    throw new RouterError("failure: no such file");
  }
  return yield* runSource(call.interpreter, toText(file.values.get("contents") ?? nothing));
}

/** Runs a script's text (bytes) with locals of its own. */
export function* runSource(interpreter: Interpreter, source: string): Steps<Value> {
  if (source.length > sourceLimit) {
    throw new RouterError("script is too long");
  }
  try {
    return yield* interpreter.run(source);
  } catch (thrown) {
    if (thrown instanceof ExitSignal) {
      return nothing;
    }
    throw thrown;
  }
}

/**
 * Runs one scheduler entry now, as its time had come: with its own policy, and with errors only
 * in the log.
 */
export function* runScheduled(interpreter: Interpreter, stored: Stored, row: Row): Steps<void> {
  const event = toText(row.values.get("on-event") ?? nothing);
  const script = stored.scripts.named(event);
  const source = script === undefined ? event : toText(script.values.get("source") ?? nothing);
  const policies = toText(row.values.get("policy") ?? str(everyPolicy));
  try {
    yield* stored.withPolicies(new Set(policies.split(/[,;]/)), () =>
      runSource(interpreter, source),
    );
  } catch (thrown) {
    if (!(thrown instanceof RouterError)) {
      throw thrown;
    }
    stored.log("error", `executing script from scheduler failed: ${fromBytes(thrown.message)}`);
  }
}

/** `startup` together with an interval does not run at boot: it takes two entries. */
export function runsAtBoot({ values }: Row): boolean {
  const interval = values.get("interval");
  const repeats =
    interval !== undefined &&
    (interval.kind === "time" ? interval.nanoseconds > 0n : !/^0s?$/.test(toText(interval)));
  const disabled = values.get("disabled") ?? bool(false);
  return (
    toText(values.get("start-time") ?? nothing) === "startup" &&
    !repeats &&
    toText(disabled) !== "true"
  );
}

/** What a new entry has if it does not say. */
export function defaults(path: string, values: Map<string, Value>): void {
  if (path === "/system script" || path === "/system scheduler") {
    if (!values.has("policy")) {
      values.set("policy", str(everyPolicy));
    }
  }
  if (path === "/system scheduler" && !values.has("interval")) {
    values.set("interval", time(0n));
  }
}
