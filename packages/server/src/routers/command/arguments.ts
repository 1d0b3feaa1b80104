import type { Argument, Part } from "./ast.ts";

/** The word of a positional argument; null for anything else. */
export const wordOf = (arg: Argument | undefined): string | null =>
  arg?.name === null && arg.value?.kind === "word" ? arg.value.text : null;

export const isOperator = (arg: Argument): boolean => arg.value?.kind === "operator";

/** What is written out; null when only the router knows it. */
export const textOf = (value: Part | null | undefined): string | null => {
  if (value?.kind === "word") {
    return value.text;
  }
  return value?.kind === "string" && value.parts.length === 0 ? value.text : null;
};

/** The value of a name as it is written out; null when it is missing, or only the router knows it. */
export const namedText = (args: readonly Argument[], name: string): string | null =>
  textOf(args.find((arg) => arg.name === name)?.value);

/** The argument of a name, also where the name is cut short as the console allows. */
export const likelyArgument = (args: readonly Argument[], name: string): Argument | undefined =>
  args.find((arg) => arg.name === name) ??
  args.find((arg) => arg.name !== null && arg.name !== "" && name.startsWith(arg.name));

/** Whole and not negative, of nine digits at most; null for anything else. */
export const wholeNumber = (text: string | null): number | null =>
  text !== null && /^[0-9]{1,9}$/.test(text) ? Number(text) : null;

/** A name that is given twice: which of the two the router takes is not known. */
export const givenTwice = (args: readonly Argument[]): string | null => {
  const seen = new Set<string>();
  for (const { name } of args) {
    if (name !== null && seen.has(name)) {
      return name;
    }
    seen.add(name ?? "");
  }
  return null;
};

/** An entry's number or `*id`, or several with commas. */
export const isNumber = (word: string): boolean => /^\*?[0-9A-F,]+$/.test(word);
