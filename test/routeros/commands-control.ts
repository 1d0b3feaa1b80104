import { milliseconds } from "./commands-system.ts";
import { ExitSignal, LoopSignal, ReturnSignal, RouterError, ScriptFault } from "./faults.ts";
import type { Call, Handler } from "./interpreter.ts";
import { asNumber, truth, withElement } from "./operators.ts";
import type { Scope } from "./scope.ts";
import { type Steps, wait } from "./steps.ts";
import type { Block, Expression } from "./syntax.ts";
import { isAbsent, keyedArray, no, nothing, num, str, toText, type Value, yes } from "./values.ts";
import { atLeast } from "./version.ts";

/** Variables and control flow. `delay` waits that many milliseconds, as the test sees fit. */
export function controlCommands(
  delay: (milliseconds: number) => Promise<void>,
  version: string,
): [string, Handler][] {
  return [
    [":global", declareGlobal],
    [":local", declareLocal],
    [":set", set],
    [":if", ifElse],
    [":while", (call) => loopWhile(call)],
    [":for", loopFor],
    [":foreach", loopForeach],
    [":do", doBlock],
    [":onerror", (call) => onError(call, atLeast(version, "7.22"))],
    [":retry", (call) => retry(call, delay)],
    [":return", giveBack],
    [":error", raiseError],
    [":break", () => raise(new LoopSignal("break"))],
    [":continue", () => raise(new LoopSignal("continue"))],
    [":exit", () => raise(new ExitSignal())],
    [":quit", () => raise(new ExitSignal())],
    [":nothing", () => nothing],
  ];
}

function raise(thrown: unknown): never {
  throw thrown;
}

function* giveBack(call: Call): Steps<Value> {
  throw new ReturnSignal(yield* call.value("value"));
}

function* raiseError(call: Call): Steps<Value> {
  throw new RouterError(yield* call.text("message"));
}

const block = (call: Call, parameter: string): Block =>
  call.block(parameter) ?? raise(new RouterError(`missing value(s) of argument(s) ${parameter}`));

function* assigned(call: Call): Steps<Value> {
  const body = call.block("do");
  return body === undefined
    ? yield* call.value("value")
    : { kind: "function", body, definedIn: call.scope };
}

function* declareGlobal(call: Call): Steps<Value> {
  const name = yield* call.text("name");
  const value = yield* assigned(call);
  call.scope.declareGlobal(name);
  if (call.has("value") || call.has("do")) {
    call.scope.set(name, value);
  }
  return nothing;
}

function* declareLocal(call: Call): Steps<Value> {
  call.scope.declareLocal(yield* call.text("name"), yield* assigned(call));
  return nothing;
}

function* set(call: Call): Steps<Value> {
  const target = call.expression("name");
  const value = yield* assigned(call);
  if (target?.type === "literal") {
    call.scope.set(toText(target.value), value);
  } else if (target !== undefined) {
    yield* assign(call, target, value);
  }
  return nothing;
}

/** `:set ($a->"k"->"l") v` rebuilds the arrays on the way: values are never shared. */
function* assign(call: Call, target: Expression, value: Value): Steps<void> {
  if (target.type === "variable") {
    call.scope.set(target.name, value);
    return;
  }
  if (target.type !== "binary" || target.operator !== "->") {
    throw new ScriptFault(":set wants a variable's name or ($array->key)");
  }
  const array = yield* call.interpreter.evaluate(target.left, call.scope);
  const key = yield* call.interpreter.evaluate(target.right, call.scope);
  yield* assign(call, target.left, withElement(array, key, value));
}

function* ifElse(call: Call): Steps<Value> {
  const taken = truth(yield* call.value("condition")) ? "do" : "else";
  const body = taken === "do" ? block(call, "do") : call.block("else");
  return body === undefined ? nothing : yield* call.interpreter.runBlock(body, call.scope.child());
}

/** Runs a loop's body once; true if the loop is to end. */
function* turn(call: Call, body: Block, scope: Scope): Steps<boolean> {
  try {
    yield* call.interpreter.runBlock(body, scope);
    return false;
  } catch (thrown) {
    if (thrown instanceof LoopSignal) {
      return thrown.what === "break";
    }
    throw thrown;
  }
}

function* loopWhile(call: Call): Steps<Value> {
  while (truth(yield* call.value("condition"))) {
    if (yield* turn(call, block(call, "do"), call.scope.child())) {
      break;
    }
  }
  return nothing;
}

function* loopFor(call: Call): Steps<Value> {
  const name = yield* call.text("counter");
  const from = asNumber(yield* call.value("from"));
  const to = asNumber(yield* call.value("to"));
  const step = call.has("step") ? asNumber(yield* call.value("step")) : 1n;
  if (step === 0n || (step > 0n && to < from)) {
    throw new ScriptFault(`:for from=${from} to=${to} step=${step} is not established`);
  }
  for (let i = from; step > 0n ? i <= to : i >= to; i += step) {
    const scope = call.scope.child();
    scope.declareLocal(name, num(i));
    if (yield* turn(call, block(call, "do"), scope)) {
      break;
    }
  }
  return nothing;
}

function* loopForeach(call: Call): Steps<Value> {
  const names = (yield* call.text("counter")).split(",");
  const over = yield* call.value("in");
  if (over.kind !== "array") {
    throw new ScriptFault(`:foreach over ${over.kind} is not established`);
  }
  const entries: (readonly [Value, Value])[] = [
    ...over.items.map((item, index) => [num(index), item] as const),
    ...[...over.keyed].map(([key, item]) => [str(key), item] as const),
  ];
  for (const [key, item] of entries) {
    const scope = call.scope.child();
    if (names.length === 2) {
      scope.declareLocal(names[0] ?? "", key);
    }
    scope.declareLocal(names.at(-1) ?? "", item);
    if (yield* turn(call, block(call, "do"), scope)) {
      break;
    }
  }
  return nothing;
}

function* doBlock(call: Call): Steps<Value> {
  const handler = call.block("on-error");
  do {
    try {
      if (yield* turn(call, block(call, "command"), call.scope.child())) {
        break;
      }
    } catch (thrown) {
      if (!(thrown instanceof RouterError) || handler === undefined) {
        throw thrown;
      }
      yield* call.interpreter.runBlock(handler, call.scope.child());
      break;
    }
  } while (call.has("while") && truth(yield* call.value("while")));
  return nothing;
}

/**
 * `:return` in `in=` ends only that block, and its value is lost; the command answers whether
 * there was an error. In `do=` nobody has established what it does.
 */
function* onError(call: Call, tellsAttributes: boolean): Steps<Value> {
  try {
    yield* call.interpreter.runBlock(block(call, "in"), call.scope.child());
    return no;
  } catch (thrown) {
    if (thrown instanceof ReturnSignal) {
      return no;
    }
    if (!(thrown instanceof RouterError)) {
      throw thrown;
    }
    const scope = call.scope.child();
    const [name = "", attributes] = (yield* call.text("error")).split(",");
    scope.declareLocal(name, str(thrown.message));
    if (attributes !== undefined && !tellsAttributes) {
      throw new ScriptFault(":onerror err,attr is there only since 7.22");
    }
    if (attributes !== undefined) {
      scope.declareLocal(attributes, keyedArray(thrown.attributes));
    }
    yield* runHandler(call, block(call, "do"), scope);
    return yes;
  }
}

function* runHandler(call: Call, body: Block, scope: Scope): Steps<void> {
  try {
    yield* call.interpreter.runBlock(body, scope);
  } catch (thrown) {
    if (thrown instanceof ReturnSignal) {
      throw new ScriptFault(":return in the do={} of :onerror is not established: set a local");
    }
    throw thrown;
  }
}

function* retry(call: Call, delay: (milliseconds: number) => Promise<void>): Steps<Value> {
  const tries = call.has("max") ? asNumber(yield* call.value("max")) : 3n;
  const pause = yield* call.value("delay");
  if (tries <= 0n) {
    return nothing;
  }
  for (let tried = 1n; ; tried++) {
    try {
      return yield* call.interpreter.runBlock(block(call, "command"), call.scope.child());
    } catch (thrown) {
      if (!(thrown instanceof RouterError)) {
        throw thrown;
      }
      if (tried >= tries) {
        const handler = call.block("on-error");
        if (handler === undefined) {
          throw thrown;
        }
        return yield* call.interpreter.runBlock(handler, call.scope.child());
      }
      yield* wait(delay(isAbsent(pause) ? 0 : milliseconds(pause)));
    }
  }
}
