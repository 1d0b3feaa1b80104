import type { Argument, Part } from "./ast.ts";
import type { GlobalRule } from "./globals.ts";
import { forbidden, type Verdict } from "./verdict.ts";

/**
 * Where the router runs what it is given, it takes a text, a variable or a result for commands too. Nobody can read
 * those here, so only commands written out in `{ }` may stand there.
 */
export const judgeCode = (rule: GlobalRule, args: readonly Argument[]): Verdict | null => {
  const hidden = codeOf(rule, args).find(({ value }) => !isWrittenOut(value));
  if (hidden !== undefined) {
    return notWrittenOut(`":${rule.name}"`, hidden);
  }
  const condition = args.find((arg, index) => isCondition(rule, arg, index));
  if (condition === undefined || isCalculated(condition.value, repeats(rule, condition))) {
    return null;
  }
  return forbidden(`What ":${rule.name}" asks is not readable here; write a calculation in ( ).`);
};

/** The same for a menu's command, whatever it is: `do=` may follow `print` and those that watch. */
export const judgeMenuCode = (verb: string, args: readonly Argument[]): Verdict | null => {
  const hidden = args.find((arg) => isMenuCode(arg) && !isWrittenOut(arg.value));
  return hidden === undefined ? null : notWrittenOut(`"${verb}"`, hidden);
};

/** The arguments of a command that the router runs as commands. */
export const codeOf = (rule: GlobalRule, args: readonly Argument[]): readonly Argument[] => {
  const positional = args.filter((arg) => arg.name === null);
  return args.filter((arg) =>
    arg.name === null ? positional.indexOf(arg) >= rule.codeFrom : rule.code.has(arg.name),
  );
};

const notWrittenOut = (command: string, { name, value }: Argument): Verdict => {
  const what = name === null ? "" : ` for "${name}"`;
  const given = value === null ? "nothing" : kinds[value.kind];
  return forbidden(
    `${command} runs what it is given${what}, and that is ${given} here, not commands that can be read; write them out in { }.`,
  );
};

const kinds: Readonly<Record<Part["kind"], string>> = {
  word: "a word",
  string: "a text",
  variable: "a variable",
  group: "a calculation",
  call: "the result of another command",
  block: "a block",
  operator: "an operator",
};

const isWrittenOut = (value: Part | null): boolean => value?.kind === "block";

const isMenuCode = ({ name }: Argument): boolean =>
  name !== null && name !== "" && menuCode.some((code) => code.startsWith(name));

const menuCode = ["do", "else", "on-error"];

const isCondition = (rule: GlobalRule, arg: Argument, index: number): boolean => {
  if (arg.name === "while" || arg.name === "condition") {
    return true;
  }
  return (rule.name === "if" || rule.name === "while") && arg.name === null && index === 0;
};

/** A condition asked again and again is kept as code. */
const repeats = (rule: GlobalRule, arg: Argument): boolean =>
  rule.name === "while" || arg.name === "while";

const isCalculated = (value: Part | null, repeated: boolean): boolean => {
  switch (value?.kind) {
    case "group":
      return repeated ? compares(value) : true;
    case "call":
    case "variable":
      return !repeated;
    case "word":
      return truths.has(value.text);
    default:
      return false;
  }
};

/** Gives true or false. A text, however it is put together, could stand for commands. */
const compares = (part: Part): boolean => {
  switch (part.kind) {
    case "group":
      return !part.parts.some(joins) && part.parts.some(compares);
    case "operator":
      return comparing.has(part.text);
    case "word":
      return truths.has(part.text);
    default:
      return false;
  }
};

/** `("/system/reboot;" . (1 = 1))` is a text yet. */
const joins = (part: Part): boolean =>
  part.kind === "operator" && (part.text === "." || part.text === ",");

const truths = new Set(["true", "false"]);
const comparing = new Set("= != < > <= >= ~ ! not && || and or in".split(" "));

/** A condition after `where` is asked for every entry, and kept as code too: only comparisons may stand there. */
export const judgeConditions = (conditions: readonly Argument[]): Verdict | null => {
  const lone = conditions.some(
    ({ name, value }, index) =>
      name === null &&
      !isCompared(conditions[index - 1]) &&
      !isCompared(conditions[index + 1]) &&
      isLone(value),
  );
  return lone
    ? forbidden("A condition is not readable here; compare a property with a value.")
    : null;
};

const isCompared = (beside: Argument | undefined): boolean => {
  const value = beside?.name === null ? beside.value : null;
  return value?.kind === "operator" || value?.kind === "word" ? comparisons.has(value.text) : false;
};

const comparisons = new Set("= != < > <= >= ~ in".split(" "));

const isLone = (value: Part | null): boolean => {
  switch (value?.kind) {
    case "string":
    case "variable":
    case "block":
    case "call":
      return true;
    case "group":
      return !(isColumn(value) || compares(value));
    default:
      return false;
  }
};

/** `(disabled)` */
const isColumn = ({ parts }: Extract<Part, { kind: "group" }>): boolean => {
  const [only, ...more] = parts;
  return only !== undefined && more.length === 0 && (only.kind === "word" || isGroupedColumn(only));
};

const isGroupedColumn = (part: Part): boolean => part.kind === "group" && isColumn(part);
