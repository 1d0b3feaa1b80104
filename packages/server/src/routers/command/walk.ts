import { textOf } from "./arguments.ts";
import type { Argument, Command, Part, Script } from "./ast.ts";
import { codeOf } from "./code-position.ts";
import { Effort, type Surroundings, type Values } from "./effort.ts";
import type { Menu } from "./menu-tree.ts";
import { rootMenu } from "./menu-tree.ts";
import { hasHeavyPattern } from "./patterns.ts";
import { resolve, type Target } from "./resolve.ts";
import { type Found, judgeTarget } from "./rules-target.ts";
import type { JudgeText } from "./rules-write.ts";
import { isOurs, Scope } from "./scope.ts";
import { maxSize, sizeOf, usualSize } from "./size.ts";
import { maxTurns, turnsOf } from "./turns.ts";
import { forbidden, worst } from "./verdict.ts";

/** More commands than a person would check before confirming. */
const maxCommands = 256;
/** More menus a relative command could start from than are worth following. */
const maxMenus = 8;

/** The menus a relative command may start from; null when there are too many. */
type Menus = readonly Menu[] | null;
type State = { menus: Menus; readonly scope: Scope };

/** Judges every command of a script, outer ones first, and all that is nested in them. */
export class Walk {
  readonly found: Found[] = [];
  readonly #judgeText: JudgeText;
  readonly #effort = new Effort();
  #around: Surroundings = { turns: 1, doubtful: false };

  constructor(judgeText: JudgeText) {
    this.#judgeText = judgeText;
  }

  start(script: Script): void {
    this.#script(script, { menus: [rootMenu], scope: new Scope() });
  }

  #script(script: Script, state: State): void {
    for (const command of script) {
      this.#command(command, state);
    }
  }

  #command(command: Command, state: State): void {
    if (this.found.length >= maxCommands) {
      return;
    }
    if (this.found.length === maxCommands - 1) {
      this.found.push({ ...tooMany, text: "", path: "", verb: "" });
      return;
    }
    if (command.prefix === "bare") {
      if (command.args.some(({ value }) => value?.kind === "call")) {
        this.found.push({ ...resultAsCommand, text: command.text, path: "", verb: "" });
      }
      for (const arg of command.args) {
        this.#argument(arg, state, state.menus);
      }
      return;
    }
    const targets = resolve(command, state.menus);
    const values: Values = {
      size: sizeOf(command.args, state.scope),
      heavyPattern: hasHeavyPattern(command.args.map(({ value }) => value)),
    };
    const judged = targets.map((target) => this.#weigh(command, target, values));
    const [first, ...others] = judged;
    if (first !== undefined) {
      this.found.push(worst(first, ...others));
    }
    this.#follow(command, targets, state);
    for (const target of targets) {
      this.#effort.passed(target);
    }
  }

  #weigh(command: Command, target: Target, values: Values): Found {
    const found = judgeTarget(target, command.text, this.#judgeText);
    const effort = this.#effort.judge(target, this.#around, values);
    return effort === null ? found : worst(found, { ...found, ...effort });
  }

  /** Goes on into what the command carries, and notes where it may leave the console. */
  #follow(command: Command, targets: readonly Target[], state: State): void {
    const menus: Menu[] = [];
    for (const target of targets) {
      if (target.kind === "global") {
        this.#globalArguments(target, state);
      } else if (target.kind === "menu_block") {
        this.#nested(target.script, state, [target.menu]);
      } else if (target.kind !== "closed" && target.kind !== "unknown") {
        menus.push(target.menu);
      }
    }
    if (menus.length === 0) {
      return;
    }
    // `[find …]` within a command is meant in that command's menu, and need not be reached.
    this.#within({ turns: this.#around.turns, doubtful: true }, () => {
      for (const arg of command.args) {
        const isBody = arg.value?.kind === "block";
        const inner = isBody ? { menus: state.menus, scope: new Scope() } : state;
        this.#argument(arg, inner, join(state.menus, menus));
        state.menus = join(state.menus, inner.menus);
      }
    });
    state.menus = join(state.menus, menus);
  }

  /** What a loop names is known only in its body; everything else is read outside of it. */
  #globalArguments(target: Extract<Target, { kind: "global" }>, state: State): void {
    const { rule, args } = target;
    const bodies = codeOf(rule, args);
    const turns = this.#around.turns * (turnsOf(rule, args) ?? maxTurns);
    for (const arg of args) {
      if (!bodies.includes(arg)) {
        this.#argument(arg, state, state.menus);
        continue;
      }
      const inner: State = { menus: state.menus, scope: bodyScope(target, arg, state.scope) };
      this.#within({ turns, doubtful: true }, () => this.#argument(arg, inner, state.menus));
      state.menus = join(state.menus, inner.menus);
    }
    if (declares.has(rule.name)) {
      const name = textOf(args.find((arg) => arg.name === null)?.value);
      declare(state.scope, [name], Math.min(sizeOf(args, state.scope), maxSize));
    }
  }

  #within(around: Surroundings, walk: () => void): void {
    const outer = this.#around;
    this.#around = around;
    walk();
    this.#around = outer;
  }

  #argument(arg: Argument, state: State, menus: Menus): void {
    if (arg.value !== null) {
      this.#part(arg.value, state, menus);
    }
  }

  #part(part: Part, state: State, menus: Menus): void {
    switch (part.kind) {
      case "word":
      case "operator":
        return;
      case "variable":
        this.#variable(part.name, state.scope);
        return;
      case "string":
        this.#parts(part.parts, state, menus);
        return;
      case "group": {
        // `&&` need not ask for its second half.
        const doubtful = this.#around.doubtful || part.parts.length > 1;
        this.#within({ ...this.#around, doubtful }, () => this.#parts(part.parts, state, menus));
        return;
      }
      case "call":
        this.#nested(part.script, state, menus);
        return;
      case "block":
        this.#within({ ...this.#around, doubtful: true }, () =>
          this.#nested(part.script, state, menus),
        );
        return;
    }
  }

  #parts(parts: readonly Part[], state: State, menus: Menus): void {
    for (const each of parts) {
      this.#part(each, state, menus);
    }
  }

  /** `menus` are those that the nested commands may start from. */
  #nested(script: Script, state: State, menus: Menus): void {
    const inner: State = { menus, scope: new Scope(state.scope) };
    this.#script(script, inner);
    state.menus = join(state.menus, inner.menus);
  }

  #variable(name: string, scope: Scope): void {
    if (scope.knows(name) && !isOurs(name)) {
      return;
    }
    const reason = `$${name.slice(0, 40)} was not made with :local before, so it may be a global variable that holds a secret.`;
    this.found.push({ ...forbidden(reason), text: `$${name.slice(0, 40)}`, path: "", verb: "" });
  }
}

const join = (some: Menus, more: Menus): Menus => {
  if (some === null || more === null) {
    return null;
  }
  const all = [...new Set([...some, ...more])];
  return all.length > maxMenus ? null : all;
};

/** What the commands in a body know. A body that is kept for later knows nothing of where it was written. */
const bodyScope = (
  { rule, args }: Extract<Target, { kind: "global" }>,
  body: Argument,
  outer: Scope,
): Scope => {
  if (keepsBody.has(rule.name)) {
    return new Scope();
  }
  const scope = new Scope(outer);
  if (loops.has(rule.name) && body.name === "do") {
    declare(scope, loopNames(args), usualSize);
  }
  return scope;
};

/** The names a loop gives: its first value, `k,v` for two, and a counter given by name. */
const loopNames = (args: readonly Argument[]): readonly string[] => {
  const first = args.find((arg) => arg.name === null)?.value;
  const counter = args.find((arg) => arg.name === "counter")?.value;
  return [first, counter].flatMap((value) => (value?.kind === "word" ? value.text.split(",") : []));
};

const declare = (scope: Scope, names: readonly (string | null)[], size: number): void => {
  for (const name of names) {
    if (name !== null) {
      scope.declare(name, size);
    }
  }
};

const loops = new Set(["foreach", "for", "onerror"]);
const declares = new Set(["local", "global"]);
/** They run their body later, or call it as a function. */
const keepsBody = new Set(["local", "global", "grep"]);
const resultAsCommand = forbidden(
  "The result of a command stands where a command belongs; put :put before it.",
);
const tooMany = forbidden(`These are more than ${maxCommands - 1} commands; ask for less at once.`);
