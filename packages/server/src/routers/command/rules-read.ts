import { givenTwice, isNumber, isOperator, namedText, wordOf } from "./arguments.ts";
import type { Argument } from "./ast.ts";
import { judgeConditions } from "./code-position.ts";
import { secondsIn } from "./duration.ts";
import { holdsSecrets, type Menu, showsNoSecret } from "./menu-tree.ts";
import { asksSafely, safeColumns, safeProplist, wordOperators } from "./safe-columns.ts";
import { judgeScriptGot, judgeScriptsAsked, judgeScriptsShown } from "./script-menus.ts";
import { forbidden, read, type Verdict, worst, write } from "./verdict.ts";

/** What a verb that shows things may do with these arguments. What is nested in them is judged elsewhere. */
export const judgePrint = (menu: Menu, args: readonly Argument[]): Verdict => {
  const { options, conditions } = splitAtWhere(args);
  const verdicts = [
    ...options.map(judgePrintOption),
    ...conditions.map(judgePrintCondition).filter((verdict) => verdict !== null),
  ];
  const twice = givenTwice(options);
  if (twice !== null) {
    return saidTwice(twice);
  }
  const plain = read(`Shows ${menu.path}; changes nothing.`);
  const verdict = judgeConditions(conditions) ?? worst(plain, ...verdicts);
  if (verdict.kind !== "read") {
    return verdict;
  }
  if (!holdsSecrets(menu)) {
    return judgeScriptsShown(menu, options, conditions) ?? verdict;
  }
  const safe = onlyCounts(options) || showsSafeColumns(options);
  return safe && conditions.every(asksSafely)
    ? verdict
    : showsSecrets(menu, `proplist=${safeProplist(menu.path)}`);
};

export const judgeGet = (menu: Menu, args: readonly Argument[]): Verdict => {
  const twice = givenTwice(args);
  if (twice !== null) {
    return saidTwice(twice);
  }
  const fault = args.find((arg) => arg.name !== null && !getNames.has(arg.name));
  if (fault !== undefined) {
    return oddOption("get", fault);
  }
  if (args.some(isOperator)) {
    return looseOperator;
  }
  const named = args.find((arg) => arg.name === "value-name")?.value;
  const column = named ?? args.filter((arg) => arg.name === null).at(-1)?.value;
  const safe =
    column?.kind === "word" &&
    safeColumns.has(column.text) &&
    args.length === (settingMenus.has(menu.path) ? 1 : 2);
  if (holdsSecrets(menu) && !safe) {
    return showsSecrets(menu, "the name of one column that is no secret");
  }
  return (
    judgeScriptGot(menu, args.length < 2 ? null : column) ??
    read(`Reads a value of ${menu.path}; changes nothing.`)
  );
};

export const judgeFind = (menu: Menu, args: readonly Argument[]): Verdict => {
  const conditions = args.filter((arg) => wordOf(arg) !== "where");
  const [first] = conditions;
  if (first?.value?.kind === "operator" && first.value.text !== "!") {
    return looseOperator;
  }
  const fault = judgeConditions(conditions);
  if (fault !== null) {
    return fault;
  }
  // A condition on a password tells, yes or no, what the password is.
  if (holdsSecrets(menu) && !conditions.every(asksSafely)) {
    return showsSecrets(menu, "conditions on names and comments only");
  }
  return (
    judgeScriptsAsked(menu, conditions) ??
    read(`Looks entries up in ${menu.path}; changes nothing.`)
  );
};

export const judgeExport = (menu: Menu, args: readonly Argument[]): Verdict => {
  const { options } = splitAtWhere(args);
  for (const option of args) {
    const word = option.name ?? wordOf(option);
    if (word === null) {
      continue;
    }
    if (beginsOne(word, ["file"])) {
      return writesFile;
    }
    if (beginsOne(word, ["show-sensitive"])) {
      return forbidden(
        "An export with passwords and keys is not done from here; leave out show-sensitive.",
      );
    }
  }
  const odd = options.find((option) => !exportOptions.has(wordOf(option) ?? ""));
  if (odd !== undefined) {
    return oddOption("export", odd);
  }
  if (showsNoSecret(menu)) {
    return read(`Shows the configuration of ${menu.path}; changes nothing.`);
  }
  return write(
    `The configuration of ${menu.path} can hold passwords, keys and scripts, so showing it needs your code; export one menu without them instead.`,
  );
};

/** Commands that watch until they are stopped. */
export const judgeWatch = (menu: Menu, verb: string, args: readonly Argument[]): Verdict => {
  const odd = args.find((arg) => arg.name !== null && !watchNames.has(arg.name));
  if (odd !== undefined) {
    return oddOption(verb, odd);
  }
  if (args.some(isOperator)) {
    return looseOperator;
  }
  const twice = givenTwice(args);
  if (twice !== null) {
    return saidTwice(twice);
  }
  const values = args.filter((arg) => arg.name === null && !watchFlags.has(wordOf(arg) ?? ""));
  if (values.length > 1) {
    return forbidden(`"${verb}" takes one value without a name; leave the rest out.`);
  }
  if (args.some((arg) => wordOf(arg) === "once")) {
    return read(`Shows ${menu.path} once; changes nothing.`);
  }
  const seconds = secondsIn(namedText(args, "duration"));
  return seconds !== null && seconds <= 30
    ? read(`Shows ${menu.path} for ${seconds} seconds; changes nothing.`)
    : write(`"${verb}" goes on until it is stopped; add "once".`);
};

const judgePrintOption = (option: Argument): Verdict => {
  const word = option.name ?? wordOf(option);
  if (word === null) {
    return isOperator(option) || option.value?.kind === "group" || option.value?.kind === "block"
      ? looseOperator
      : read("");
  }
  const danger = judgeEndless(word);
  if (danger !== null) {
    return danger;
  }
  if (option.name !== null) {
    return printNames.has(word) ? read("") : oddOption("print", option);
  }
  if (isNumber(word)) {
    return read("");
  }
  const meant = printFlags.has(word) ? [word] : knownFlags.filter((flag) => flag.startsWith(word));
  const only = meant[0];
  return only !== undefined && meant.length === 1 && printFlags.has(only)
    ? read("")
    : oddOption("print", option);
};

/** After `where`, options may still be taken for options. */
const judgePrintCondition = (condition: Argument): Verdict | null => {
  const word = condition.name ?? wordOf(condition);
  if (word === null || (condition.name === null && wordOperators.has(word))) {
    return null;
  }
  return judgeEndless(word);
};

const judgeEndless = (word: string): Verdict | null => {
  if (printFlags.has(word) || printNames.has(word)) {
    return null;
  }
  if (beginsOne(word, ["file", "append"])) {
    return writesFile;
  }
  if (beginsOne(word, ["follow", "follow-only", "follow-strict", "interval"])) {
    return write(`"print ${word}" goes on until it is stopped; leave "${word}" out.`);
  }
  return null;
};

const onlyCounts = (options: readonly Argument[]): boolean =>
  options.length === 1 && wordOf(options[0]) === "count-only";

const showsSafeColumns = (options: readonly Argument[]): boolean => {
  const columns = options.find((option) => option.name === "proplist")?.value;
  const literal =
    columns?.kind === "word" || (columns?.kind === "string" && columns.parts.length === 0);
  return literal && columns.text.split(",").every((column) => safeColumns.has(column));
};

const splitAtWhere = (args: readonly Argument[]) => {
  const at = args.findIndex((arg) => wordOf(arg) === "where");
  return at < 0
    ? { options: args, conditions: [] }
    : { options: args.slice(0, at), conditions: args.slice(at + 1) };
};

const beginsOne = (word: string, names: readonly string[]): boolean =>
  word !== "" && names.some((name) => name.startsWith(word));

const showsSecrets = (menu: Menu, instead: string): Verdict =>
  write(
    `${menu.path} holds passwords or keys, so showing it needs your code; give ${instead} to do without.`,
  );

const oddOption = (verb: string, arg: Argument): Verdict => {
  const name = arg.name ?? wordOf(arg) ?? "a value";
  return forbidden(
    `"${verb}" is not known here with "${name.slice(0, 40)}"; leave it out or write it in full.`,
  );
};

const saidTwice = (name: string): Verdict => forbidden(`"${name}" is given twice; give it once.`);

const writesFile = forbidden("It would write a file on the router; leave out the file.");
const looseOperator = forbidden('Conditions belong after "where".');

/** Menus of settings alone, where the first value is the column and not the entry. */
const settingMenus = new Set(["/ip/cloud"]);

const getNames = new Set(["number", "numbers", "value-name"]);
const watchNames = new Set(["numbers", "number", "do", "interface", "duration"]);
const watchFlags = new Set(["once", "as-value", "without-paging"]);
const exportOptions = new Set(["terse", "verbose", "compact", "hide-sensitive", "where"]);
const printNames = new Set(["proplist", "from", "buffer", "chain", "numbers"]);
const printFlags = new Set(
  "active all as-value brief count-only detail dynamic packets bytes rate show-ids static stats stats-detail terse value-list where without-paging".split(
    " ",
  ),
);
const knownFlags = [
  ...printFlags,
  ...printNames,
  ..."about advanced append file follow follow-only follow-strict group-by headers hide-sensitive interval oid once show-sensitive".split(
    " ",
  ),
];
