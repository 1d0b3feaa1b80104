import { givenTwice, namedText, textOf, wholeNumber } from "./arguments.ts";
import type { Argument } from "./ast.ts";
import { judgeCode } from "./code-position.ts";
import { secondsIn } from "./duration.ts";
import type { GlobalRule } from "./globals.ts";
import { judgePing, judgeResolve } from "./rules-probe.ts";
import { isOurs } from "./scope.ts";
import { turnsOf } from "./turns.ts";
import { forbidden, read, type Verdict, write } from "./verdict.ts";

/** Judges a command that belongs to no menu. What is nested in its arguments is judged elsewhere. */
export const judgeGlobal = (rule: GlobalRule, args: readonly Argument[]): Verdict => {
  if (rule.kind === "forbidden") {
    return forbidden(whyNot.get(rule.name) ?? notFromHere(rule.name));
  }
  const fault = oddArgument(rule, args) ?? judgeCode(rule, args);
  if (fault !== null) {
    return fault;
  }
  const name = textOf(args.find((arg) => arg.name === null)?.value);
  if (setsVariables.has(rule.name) && (name === null || isOurs(name))) {
    return forbidden(
      "The relay's own variables hold its secret; they are changed by yourself only.",
    );
  }
  if (rule.name === "global" && args.length < 2) {
    return forbidden(
      `":global ${name}" opens a variable that something else on the router made, with a secret in it perhaps; use :local.`,
    );
  }
  if (rule.kind === "write") {
    return write(whyWrite.get(rule.name) ?? `":${rule.name}" needs your code.`);
  }
  return judgeBounds(rule, args);
};

/** Whether a command that changes nothing comes to an end soon, and takes little memory. */
const judgeBounds = (rule: GlobalRule, args: readonly Argument[]): Verdict => {
  const first = textOf(args[0]?.value);
  switch (rule.name) {
    case "ping":
      return judgePing(":ping", args);
    case "resolve":
      return judgeResolve(args);
    case "delay":
      return (secondsIn(first) ?? longDelay) < longDelay
        ? read("Waits.")
        : write("It waits long; 10s at most goes without a code.");
    case "do":
      return args.some((arg) => arg.name === "while") ? endless : read("Runs what it holds.");
    case "for":
    case "range":
      return turnsOf(rule, args) === null
        ? write(`":${rule.name}" without a code takes numbers written out, and 1000 turns at most.`)
        : read(`":${rule.name}" is bounded; changes nothing.`);
    case "rndstr":
      return args.every(({ name }) => name !== "length") ||
        (wholeNumber(namedText(args, "length")) ?? longText) < longText
        ? read("Makes a text up; changes nothing.")
        : write('":rndstr" without a code takes a length of 1024 at most, written out.');
    default:
      return read(`":${rule.name}" changes nothing.`);
  }
};

const longDelay = 10.001;
const longText = 1025;

const oddArgument = (rule: GlobalRule, args: readonly Argument[]): Verdict | null => {
  const positional = args.filter((arg) => arg.name === null);
  if (positional.some((arg) => arg.value?.kind === "operator")) {
    return forbidden(`":${rule.name}" takes a calculation in ( ).`);
  }
  if (positional.length > rule.positionals) {
    return forbidden(`":${rule.name}" is followed by more than it takes; part commands with ";".`);
  }
  const twice = givenTwice(args) ?? sameAsPositional(positional, args);
  if (twice !== null) {
    return forbidden(`":${rule.name}" is given "${twice}" twice; give it once.`);
  }
  const odd = args.find((arg) => arg.name !== null && !rule.named.has(arg.name));
  if (odd === undefined) {
    return null;
  }
  return forbidden(
    `":${rule.name}" is not known here with "${odd.name}"; write it in full or leave it out.`,
  );
};

/** The first value's name, when that is given beside it. */
const sameAsPositional = (
  positional: readonly Argument[],
  args: readonly Argument[],
): string | null => {
  const name = args.find((arg) => firstValues.has(arg.name ?? ""))?.name;
  return positional.length > 0 ? (name ?? null) : null;
};

const firstValues = new Set([
  "address",
  "domain-name",
  "delay-time",
  "condition",
  "message",
  "value",
  "command",
  "pattern",
]);

const setsVariables = new Set(["set", "global", "local"]);

const endless = write("It may go on without an end; use :foreach over a list.");

const notFromHere = (name: string) => `":${name}" is not done from here; do it yourself in WinBox.`;

const whyNot: ReadonlyMap<string, string> = new Map([
  ["execute", '":execute" runs a text as commands; write the commands themselves.'],
  ["parse", '":parse" makes commands of a text; write the commands themselves.'],
  ["import", '"import" runs a file that cannot be read here; write the commands themselves.'],
  ["environment", "Global variables can hold secrets, this relay's own among them."],
  ["undo", '"undo" takes back whatever came last, whoever did it; write the change that you want.'],
  [
    "redo",
    '"redo" repeats whatever was taken back, whoever did it; write the change that you want.',
  ],
  ["password", "The password is changed by yourself only."],
]);

const whyWrite: ReadonlyMap<string, string> = new Map([
  ["set", '":set" changes a variable.'],
  ["global", '":global" makes or opens a variable that outlives this command; use :local.'],
  ["while", '":while" may go on without an end; use :foreach over a list.'],
  ["retry", '":retry" repeats commands.'],
  ["log", '":log" writes to the log.'],
  ["beep", '":beep" makes a noise.'],
]);
