import { Unreadable } from "./ast.ts";
import { hiddenCharacter, maxScriptLength } from "./characters.ts";
import { parseScript } from "./parse-script.ts";
import type { Found } from "./rules-target.ts";
import { type CommandKind, forbidden, type Verdict, worst } from "./verdict.ts";
import { Walk } from "./walk.ts";

export type { CommandKind } from "./verdict.ts";

export type JudgedCommand = Readonly<{
  /** The command's source; cut when it is long. */
  text: string;
  /** The menu, in full: `/ip/address`; `:` for a command of no menu; empty when it could not be read. */
  path: string;
  /** In full; empty when it only goes to a menu, or could not be read. */
  verb: string;
  kind: CommandKind;
  /** For the router's owner. */
  reason: string;
  /** How the change could cut the owner off or open the router. */
  warning?: string;
}>;

export type Judgement = Readonly<{
  /** The worst of all commands. */
  kind: CommandKind;
  /** The reason of the worst. */
  reason: string;
  /** Every command, outer ones first; those nested in it after each. Empty when the text could not be read. */
  commands: readonly JudgedCommand[];
}>;

/**
 * Judges RouterOS script: whether it only reads, changes something, or must not run at all. What is not known to
 * be harmless is not a read; what cannot be read with certainty is forbidden. Never throws; time is linear.
 */
export const judgeScript = (text: string): Judgement => judgeNested(text, 0, new Map());

/** Scripts in strings in scripts: nobody needs more. */
const maxScriptsDeep = 4;
const maxShown = 300;

/** `known` holds what was judged before, so that a script met again costs nothing. */
const judgeNested = (text: string, depth: number, known: Map<string, Judgement>): Judgement => {
  if (depth > maxScriptsDeep) {
    return refused("Scripts are nested too deep in one another; make it simpler.");
  }
  if (text.length > maxScriptLength) {
    return refused(`The text is longer than ${maxScriptLength} characters; ask for less at once.`);
  }
  const hidden = hiddenCharacter(text);
  if (hidden !== null) {
    return refused(hidden);
  }
  const walk = new Walk((inner) => {
    const judged = known.get(inner) ?? judgeNested(inner, depth + 1, known);
    known.set(inner, judged);
    return judged;
  });
  try {
    walk.start(parseScript(text));
  } catch (error) {
    if (error instanceof Unreadable) {
      return refused(error.message);
    }
    throw error;
  }
  return summarise(walk.found);
};

const summarise = (found: readonly Found[]): Judgement => {
  const [first, ...others] = found;
  if (first === undefined) {
    return refused("There is no command in it.");
  }
  const { kind, reason } = worst<Verdict>(first, ...others);
  return { kind, reason, commands: found.map(shown) };
};

const shown = (found: Found): JudgedCommand => {
  const long = found.text.length > maxShown;
  return long ? { ...found, text: `${found.text.slice(0, maxShown)}...` } : found;
};

const refused = (reason: string): Judgement => {
  const { kind } = forbidden(reason);
  return { kind, reason, commands: [] };
};
