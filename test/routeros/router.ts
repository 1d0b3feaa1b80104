import { controlCommands } from "./commands-control.ts";
import { type Executed, menuCommands } from "./commands-menu.ts";
import { type Surroundings, systemCommands } from "./commands-system.ts";
import { textCommands } from "./commands-text.ts";
import { RouterError, ScriptFault } from "./faults.ts";
import { type FetchRecord, fetchCommand } from "./fetch.ts";
import { createGrammar } from "./grammar.ts";
import { type Handler, Interpreter } from "./interpreter.ts";
import type { MenuRows } from "./menu-rows.ts";
import { createMenus, requireFits, saveFile, showGlobals, showLog } from "./menus.ts";
import { fromPlain, type Plain, toPlain } from "./plain.ts";
import type { LogLine, Router, RouterOptions } from "./router-types.ts";
import { defaults, runScheduled, runSource, runsAtBoot, scriptCommands } from "./scripts.ts";
import { finish, type Steps } from "./steps.ts";
import { nothing, toBytes, toText, type Value } from "./values.ts";

export type { Router, RouterOptions } from "./router-types.ts";

/**
 * Makes a router of a version, with its own globals, menus and clock: a test-only interpreter of
 * RouterOS script, strict where a router is strict. It was never compared with a real router.
 *
 * Three things go wrong in it. `SyntaxFault`: that version would not load the script, so nothing
 * of it runs. `RouterError`: an error a script may catch. `ScriptFault`: the script leans on
 * what a router answers silently and wrongly, or on what nobody has written down; no script
 * catches it, so the test fails and the script gets written another way.
 */
export function createRouter(options: RouterOptions = {}): Router {
  const version = options.version ?? "7.15";
  const log: LogLine[] = [];
  const put: string[] = [];
  const delays: number[] = [];
  const jobs: Promise<void>[] = [];
  const executed: Executed[] = [];
  const fetches: FetchRecord[] = [];
  const policies = createPolicies();
  const menus = createMenus({
    version,
    identity: options.identity ?? "MikroTik",
    serial: options.serial,
    cloud: options.cloud ?? {},
    addresses: options.addresses ?? ["192.168.88.1/24"],
  });
  const files = menu(menus, "/file");
  const around: Surroundings = {
    clock: options.clock ?? Date.now,
    delay: async (milliseconds) => {
      delays.push(milliseconds);
      await options.delay?.(milliseconds);
    },
    resolve: (host) => (/^[\d.]+$/.test(host) ? host : options.resolve?.(host)),
    putLines: put,
    log: (topic, message) => void log.push({ topic, message }),
    jobs,
  };
  const stored = {
    scripts: menu(menus, "/system script"),
    schedulers: menu(menus, "/system scheduler"),
    files,
    log: around.log,
    ...policies,
  };
  const handlers: [string, Handler][] = [
    ...controlCommands(around.delay, version),
    ...textCommands({ version, sha512: options.sha512 ?? true }),
    ...systemCommands(around),
    ...scriptCommands(stored),
    fetchCommand({
      ...around,
      version,
      certificates: options.certificates ?? [],
      fetches,
      idle: options.fetchIdle ?? 10_000,
      demand: policies.demand,
      saveFile: (name, contents) => saveFile(files, name, contents),
    }),
    ...menuCommands(menus, {
      executed,
      demand: policies.demand,
      putLines: put,
      refresh: (path) => refresh(path),
      changing: (path, what, row) => {
        requireFits(path, row.values);
        if (what === "add") {
          defaults(path, row.values);
        } else if (what === "remove" && path === "/system script environment") {
          globals.delete(toText(row.values.get("name") ?? nothing));
        }
      },
    }),
  ];
  const interpreter = new Interpreter(createGrammar(version), new Map(handlers));
  const { globals } = interpreter;
  const refresh = (path: string): void => {
    if (path === "/system script environment") {
      showGlobals(menu(menus, path), globals);
    } else if (path === "/log") {
      showLog(menu(menus, path), log);
    }
  };
  const runText = async (source: string): Promise<Plain> =>
    toPlain(await finish(runSource(interpreter, toBytes(source))));
  return {
    run: runText,
    import: runText,
    call: (name, args = [], named = {}) => callGlobal(interpreter, name, args, named),
    globals,
    global: (name) => toPlain(globals.get(name) ?? nothing),
    log,
    put,
    delays,
    executed,
    fetches,
    rows: (path) =>
      menu(menus, path).all.map(({ values }) =>
        Object.fromEntries([...values].map(([name, value]) => [name, toPlain(value)])),
      ),
    saveFile: (name, contents) => saveFile(files, name, toBytes(contents)),
    tick: async (name) => {
      const row = stored.schedulers.named(name);
      if (row === undefined) {
        throw new Error(`there is no scheduler ${name}`);
      }
      await finish(runScheduled(interpreter, stored, row));
    },
    reboot: async () => {
      globals.clear();
      for (const row of stored.schedulers.all.filter(runsAtBoot)) {
        await finish(runScheduled(interpreter, stored, row));
      }
    },
    settled: async () => {
      await Promise.all(jobs);
    },
  };
}

function menu(menus: ReadonlyMap<string, MenuRows>, path: string): MenuRows {
  const found = menus.get(path);
  if (found === undefined) {
    throw new Error(`the interpreter has no menu ${path}`);
  }
  return found;
}

async function callGlobal(
  interpreter: Interpreter,
  name: string,
  args: readonly Plain[],
  named: Readonly<Record<string, Plain>>,
): Promise<Plain> {
  const callee: Value | undefined = interpreter.globals.get(name);
  if (callee === undefined) {
    throw new ScriptFault(`there is no global ${name}`);
  }
  const given = {
    positional: args.map(fromPlain),
    named: new Map(Object.entries(named).map(([key, value]) => [key, fromPlain(value)] as const)),
  };
  return toPlain(await finish(interpreter.invoke(callee, given, `$${name}`)));
}

/** What the running script may do; from the terminal (and tests), everything. */
function createPolicies() {
  let held: ReadonlySet<string> | undefined;
  return {
    demand: (...policies: string[]): void => {
      if (held !== undefined && policies.some((policy) => held?.has(policy) === false)) {
        throw new RouterError("not enough permissions (9)");
      }
    },
    withPolicies: function* <T>(policies: ReadonlySet<string>, body: () => Steps<T>): Steps<T> {
      const outer = held;
      held = policies;
      try {
        return yield* body();
      } finally {
        held = outer;
      }
    },
  };
}
