import type { Argument, Part } from "./ast.ts";
import { carryingWarning } from "./carried-out.ts";
import type { Menu } from "./menu-tree.ts";
import { isScriptName } from "./script-menus.ts";
import { judgeShutChange } from "./shut-changes.ts";
import { forbidden, type Verdict, worst, write } from "./verdict.ts";
import { warningFor } from "./warnings.ts";

/** Judges a script that stands in a string. */
export type JudgeText = (text: string) => Verdict;

/** What a changing verb does with these arguments. What is nested in them is judged elsewhere. */
export const judgeChange = (
  menu: Menu,
  verb: string,
  args: readonly Argument[],
  judgeText: JudgeText,
): Verdict => {
  if (args.some((arg) => arg.value?.kind === "operator" && arg.value.text !== "!")) {
    return forbidden(`"${verb}" takes name=value without spaces around "=".`);
  }
  const shut = judgeShutChange(menu, args);
  if (shut !== null) {
    return shut;
  }
  const plain = write(
    `${sentences.get(verb) ?? `Runs "${verb}"`} in ${menu.path}.`,
    joined(warningFor(menu, verb, args), carryingWarning(args)),
  );
  return worst(plain, ...args.filter(holdsScript).map((arg) => judgeScriptValue(arg, judgeText)));
};

const joined = (...warnings: readonly (string | undefined)[]): string | undefined => {
  const given = warnings.filter((warning) => warning !== undefined);
  return given.length === 0 ? undefined : given.join(" ");
};

const sentences: ReadonlyMap<string, string> = new Map([
  ["add", "Adds an entry"],
  ["set", "Changes settings"],
  ["remove", "Removes entries"],
  ["enable", "Enables entries"],
  ["disable", "Disables entries"],
  ["move", "Changes the order of entries"],
  ["comment", "Changes a comment"],
  ["unset", "Clears settings"],
  ["reset", "Sets values back"],
  ["info", "Writes a line"],
  ["warning", "Writes a line"],
  ["error", "Writes a line"],
  ["debug", "Writes a line"],
]);

/** A value that the router runs later must be one we can read now. */
const judgeScriptValue = (arg: Argument, judgeText: JudgeText): Verdict => {
  const text = literal(arg.value);
  if (text === null) {
    return forbidden(
      `What "${arg.name}" would run is put together on the router and cannot be read here; write it out, in quotes.`,
    );
  }
  if (text.trim() === "") {
    return write(`Clears "${arg.name}".`);
  }
  if (!beginsCommand.test(text)) {
    return forbidden(
      `"${arg.name}" could be the name of a script stored on the router; begin its commands with ":" or "/".`,
    );
  }
  const verdict = judgeText(text);
  if (verdict.kind === "forbidden") {
    return forbidden(`"${arg.name}" would run a command that is not allowed: ${verdict.reason}`);
  }
  return write(`"${arg.name}" makes the router run commands by itself later on.`);
};

const beginsCommand = /^\s*[:/#{[]/;

/** Null when it is not known before the router runs it. */
const literal = (value: Part | null): string | null => {
  if (value === null) {
    return "";
  }
  if (value.kind === "word") {
    return value.text;
  }
  if (value.kind !== "string" || value.parts.length > 0 || value.joined) {
    return null;
  }
  return value.text;
};

/** Whether the router takes the value for a script: by its name, or one it abbreviates. */
const holdsScript = ({ name }: Argument): boolean => name !== null && isScriptName(name);
