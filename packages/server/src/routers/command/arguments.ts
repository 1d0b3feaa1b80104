import type { Argument } from "./ast.ts";

/** The word of a positional argument; null for anything else. */
export const wordOf = (arg: Argument | undefined): string | null =>
  arg?.name === null && arg.value?.kind === "word" ? arg.value.text : null;

export const isOperator = (arg: Argument): boolean => arg.value?.kind === "operator";

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
