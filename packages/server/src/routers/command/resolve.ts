import { wordOf } from "./arguments.ts";
import type { Argument, Command, Script } from "./ast.ts";
import { type GlobalRule, globals, lookUpGlobal } from "./globals.ts";
import { lookUp, type Menu, rootMenu, type VerbKind } from "./menu-tree.ts";

/** What a command addresses, once its words are read against the menus. */
export type Target =
  | Readonly<{
      kind: "verb";
      menu: Menu;
      verb: string;
      verbKind: VerbKind;
      args: readonly Argument[];
    }>
  | Readonly<{ kind: "global"; rule: GlobalRule; args: readonly Argument[] }>
  /** Only a menu: the commands after it are meant there. */
  | Readonly<{ kind: "move"; menu: Menu }>
  /** A menu with its commands in `{ }`. */
  | Readonly<{ kind: "menu_block"; menu: Menu; script: Script }>
  | Readonly<{ kind: "closed"; menu: Menu }>
  | Readonly<{ kind: "unknown"; path: string; reason: string; ambiguous: boolean }>;

/**
 * All a command may address. `menus` are those a relative command may start from: whether a command with a path
 * leaves the console in that menu differs, so both are thought of. Null when there are too many to follow.
 */
export const resolve = (command: Command, menus: readonly Menu[] | null): readonly Target[] => {
  if (command.prefix === "global") {
    return [resolveGlobal(command.args)];
  }
  if (command.prefix === "absolute") {
    return [walk(rootMenu, command.args)];
  }
  const bare = globals.get(firstWord(command.args));
  const global: Target[] =
    bare === undefined ? [] : [{ kind: "global", rule: bare, args: command.args.slice(1) }];
  if (menus === null) {
    return global.length > 0 ? global : [unknown("", 'Begin the path with "/".')];
  }
  const targets = menus.map((menu) => walk(menu, command.args, true));
  const known = targets.filter((target) => target.kind !== "unknown" || target.ambiguous);
  // A menu's own `find` or `set` comes before the command of that name; the latter does no more harm.
  const found = known.some((target) => target.kind === "verb") ? known : [...known, ...global];
  return found.length > 0 ? found : targets.slice(0, 1);
};

const resolveGlobal = (args: readonly Argument[]): Target => {
  const word = firstWord(args);
  const rule = lookUpGlobal(word);
  if (rule === null) {
    return unknown(
      `:${word}`,
      `":${word}" is no command that is known here; write it out in full.`,
    );
  }
  return { kind: "global", rule, args: args.slice(1) };
};

const firstWord = (args: readonly Argument[]): string => wordOf(args[0]) ?? "";

/** Follows the leading words from a menu to a verb. */
const walk = (start: Menu, args: readonly Argument[], relative = false): Target => {
  let menu = start;
  for (let index = 0; index < args.length; index++) {
    const word = wordOf(args[index]);
    if (word === null) {
      return menu.kind === "closed" ? { kind: "closed", menu } : afterPath(menu, args.slice(index));
    }
    if (index === 0 && relative && isCommandHere(menu, word)) {
      return unknown(menu.path, `":${word}" belongs to no menu.`);
    }
    const segments = word.split("/");
    for (const [position, segment] of segments.entries()) {
      const step = follow(menu, segment);
      if (menu.kind === "closed" && (step.kind !== "menu" || segment === "..")) {
        return { kind: "closed", menu };
      }
      if (step.kind === "menu") {
        menu = step.menu;
        continue;
      }
      if (step.kind === "unknown") {
        return step;
      }
      if (position < segments.length - 1) {
        return unknown(menu.path, `"${clip(word)}" goes on after the command "${step.verb}".`);
      }
      return { ...step, kind: "verb", menu, args: args.slice(index + 1) };
    }
  }
  return { kind: menu.kind === "closed" ? "closed" : "move", menu };
};

/** At the root, `set` is the command of that name, and does not stand for `setup`. */
const isCommandHere = (menu: Menu, word: string): boolean =>
  globals.has(word) && !menu.children.has(word) && !menu.verbs.has(word);

type Step =
  | Readonly<{ kind: "menu"; menu: Menu }>
  | Readonly<{ kind: "verb"; verb: string; verbKind: VerbKind }>
  | Extract<Target, { kind: "unknown" }>;

const follow = (menu: Menu, segment: string): Step => {
  if (segment === "..") {
    if (menu.parent !== null) {
      return { kind: "menu", menu: menu.parent };
    }
    return unknown("/", '".." leads above the first menu.');
  }
  const word = lookUp(menu, segment);
  switch (word.kind) {
    case "menu":
    case "verb":
      return word;
    case "ambiguous":
      return unknown(
        menu.path,
        `"${clip(segment)}" may stand for ${word.candidates.slice(0, 4).join(", ")}; write it out in full.`,
        true,
      );
    case "unknown":
      return unknown(
        menu.path,
        `"${clip(segment)}" is not known in the menu ${menu.path}; only known menus and commands can be judged.`,
      );
  }
};

const afterPath = (menu: Menu, args: readonly Argument[]): Target => {
  const [only, ...more] = args;
  if (only?.name === null && only.value?.kind === "block" && more.length === 0) {
    return { kind: "menu_block", menu, script: only.value.script };
  }
  return unknown(menu.path, `A command is missing after the menu ${menu.path}.`);
};

const unknown = (
  path: string,
  reason: string,
  ambiguous = false,
): Extract<Target, { kind: "unknown" }> => ({ kind: "unknown", path, reason, ambiguous });

const clip = (word: string): string => (word.length > 40 ? `${word.slice(0, 40)}...` : word);
