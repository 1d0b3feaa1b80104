import { RouterError, ScriptFault } from "./faults.ts";
import type { Call, Handler } from "./interpreter.ts";
import type { MenuRows, Row } from "./menu-rows.ts";
import { binary } from "./operators.ts";
import type { Steps } from "./steps.ts";
import {
  type ArrayValue,
  bool,
  fromBytes,
  isAbsent,
  list,
  nothing,
  num,
  str,
  toText,
  type Value,
} from "./values.ts";

/** A menu command as the router ran it; values as text. */
export type Executed = Readonly<{ command: string; parameters: Readonly<Record<string, string>> }>;

export type MenuHooks = Readonly<{
  executed: Executed[];
  /** Throws if the running script's policy lacks one of these. */
  demand: (...policies: string[]) => void;
  putLines: string[];
  /** Before a menu is read: menus that show something else (globals, log) are filled anew. */
  refresh: (path: string) => void;
  /** Before a row goes, is added or changed. */
  changing: (path: string, what: "add" | "set" | "remove", row: Row) => void;
}>;

/** add, set, remove, find, get, print, enable and disable for every menu. */
export function menuCommands(
  menus: ReadonlyMap<string, MenuRows>,
  hooks: MenuHooks,
): [string, Handler][] {
  return [...menus].flatMap(([path, menu]) => {
    const command = (
      name: string,
      policy: string,
      run: (call: Call, menu: MenuRows, hooks: MenuHooks) => Steps<Value>,
    ): [string, Handler] => [
      `${path} ${name}`,
      function* (call) {
        hooks.demand(policy);
        hooks.refresh(path);
        const once = evaluatedOnce(call);
        yield* record(once, hooks);
        return yield* run(once, menu, hooks);
      },
    ];
    return [
      command("find", "read", find),
      command("get", "read", get),
      command("print", "read", print),
      command("add", "write", add),
      command("set", "write", set),
      command("remove", "write", remove),
      command("enable", "write", (call) => disable(call, menu, false)),
      command("disable", "write", (call) => disable(call, menu, true)),
    ];
  });
}

/** Noting a parameter down must not run the commands in it again. */
function evaluatedOnce(call: Call): Call {
  const values = new Map<string, Value>();
  function* value(parameter: string): Steps<Value> {
    const known = values.get(parameter) ?? (yield* call.value(parameter));
    values.set(parameter, known);
    return known;
  }
  function* text(parameter: string): Steps<string> {
    return toText(yield* value(parameter));
  }
  return { ...call, value, text };
}

function* record(call: Call, { executed }: MenuHooks): Steps<void> {
  const parameters: Record<string, string> = {};
  for (const name of call.given) {
    parameters[name] = fromBytes(toText(yield* property(call, name)));
  }
  executed.push({ command: call.name, parameters });
}

/** A block given for a script's text is the text between its braces. */
function* property(call: Call, name: string): Steps<Value> {
  const block = call.block(name);
  return block === undefined ? yield* call.value(name) : str(block.source);
}

function* find(call: Call, menu: MenuRows): Steps<Value> {
  const rows = yield* filtered(call, menu);
  return list(rows.map(({ id }) => ({ kind: "id", text: id }) as const));
}

function* filtered(call: Call, menu: MenuRows): Steps<Row[]> {
  const found: Row[] = [];
  for (const row of menu.all) {
    if (yield* passes(call, row)) {
      found.push(row);
    }
  }
  return found;
}

function* passes(call: Call, row: Row): Steps<boolean> {
  if (call.where.length === 0) {
    return true;
  }
  for (const group of call.where) {
    let all = true;
    for (const { key, operator, value } of group) {
      const wanted = yield* call.interpreter.evaluate(value, call.scope);
      all &&= test(row.values.get(key) ?? nothing, operator, wanted);
    }
    if (all) {
      return true;
    }
  }
  return false;
}

/** A filter that compares unlike kinds matches nothing, silently: here it says so. */
function test(held: Value, operator: string, wanted: Value): boolean {
  if (wanted.kind === "ip" || wanted.kind === "ip-prefix" || isAbsent(wanted)) {
    throw new ScriptFault(`a filter with ${wanted.kind} matches nothing: quote it or :tostr it`);
  }
  if (operator === "~") {
    return toText(binary("~", held, wanted)) === "true";
  }
  const same = plainText(held) === plainText(wanted);
  return operator === "=" ? same : !same;
}

const plainText = (value: Value): string =>
  toText(value).replace(/^yes$/, "true").replace(/^no$/, "false");

function* get(call: Call, menu: MenuRows): Steps<Value> {
  const name = call.has("value-name") ? yield* call.text("value-name") : undefined;
  return menu.read(yield* single(call, menu), name);
}

function* single(call: Call, menu: MenuRows): Steps<Row> {
  if (menu.table.single === true) {
    return menu.single;
  }
  const rows = menu.pick(yield* call.value("number"));
  const [row] = rows;
  if (row === undefined || rows.length > 1) {
    throw new RouterError(row === undefined ? "no such item" : "invalid internal item number");
  }
  return row;
}

function* print(call: Call, menu: MenuRows, { putLines }: MenuHooks): Steps<Value> {
  const rows = yield* filtered(call, menu);
  if (call.flags.has("count-only")) {
    if (!call.flags.has("as-value")) {
      putLines.push(String(rows.length));
    }
    return num(rows.length);
  }
  const values = rows.map((row) => menu.read(row, undefined) as ArrayValue);
  if (call.flags.has("as-value")) {
    return menu.table.single === true ? (values[0] ?? nothing) : list(values);
  }
  putLines.push(...values.map((value) => fromBytes(toText(value))));
  return nothing;
}

function* given(call: Call): Steps<Map<string, Value>> {
  const values = new Map<string, Value>();
  for (const name of call.given) {
    if (name !== "numbers") {
      const value = yield* property(call, name);
      values.set(name, /^disabled$/.test(name) ? bool(plainText(value) === "true") : value);
    }
  }
  return values;
}

function* add(call: Call, menu: MenuRows, hooks: MenuHooks): Steps<Value> {
  const values = yield* given(call);
  const row: Row = { id: "", values };
  hooks.changing(menu.table.path, "add", row);
  return { kind: "id", text: menu.add(values).id };
}

function* set(call: Call, menu: MenuRows, hooks: MenuHooks): Steps<Value> {
  const values = yield* given(call);
  const rows = menu.table.single === true ? [menu.single] : menu.pick(yield* call.value("numbers"));
  for (const row of rows) {
    hooks.changing(menu.table.path, "set", { id: row.id, values });
    for (const [name, value] of values) {
      row.values.set(name, value);
    }
  }
  return nothing;
}

function* remove(call: Call, menu: MenuRows, hooks: MenuHooks): Steps<Value> {
  for (const row of menu.pick(yield* call.value("numbers"))) {
    hooks.changing(menu.table.path, "remove", row);
    menu.remove(row);
  }
  return nothing;
}

function* disable(call: Call, menu: MenuRows, disabled: boolean): Steps<Value> {
  for (const row of menu.pick(yield* call.value("numbers"))) {
    row.values.set("disabled", bool(disabled));
  }
  return nothing;
}
