import { namedText, textOf, wholeNumber } from "./arguments.ts";
import type { Argument, Part } from "./ast.ts";
import type { GlobalRule } from "./globals.ts";

/** More turns of a loop than go without a code. */
export const maxTurns = 1000;

/**
 * How often a loop runs what it holds, or how long a range is: 1 for other commands; null when it is not bounded.
 * A list that only the router knows counts as the most that goes.
 */
export const turnsOf = ({ name }: GlobalRule, args: readonly Argument[]): number | null => {
  switch (name) {
    case "foreach":
      return turnsOfList(args);
    case "for":
      return args.some((arg) => arg.name === "step")
        ? null
        : between(namedText(args, "from"), namedText(args, "to"));
    case "range": {
      const [from, to, step] = args.filter((arg) => arg.name === null);
      if (!isStep(step ?? args.find((arg) => arg.name === "step"))) {
        return null;
      }
      return between(
        namedText(args, "from") ?? textOf(from?.value),
        namedText(args, "to") ?? textOf(to?.value),
      );
    }
    default:
      return 1;
  }
};

/** Nothing, or forwards; a step of 0 never comes to the end. */
const isStep = (step: Argument | undefined): boolean =>
  step === undefined || (wholeNumber(textOf(step.value)) ?? 0) > 0;

const turnsOfList = (args: readonly Argument[]): number => {
  const list = args.find((arg) => arg.name === "in")?.value;
  const written = list?.kind === "group" && list.parts.every(isOneEntry);
  return written ? Math.max(1, list.parts.length) : maxTurns;
};

/** A variable, or what a command gives, may be a whole list. */
const isOneEntry = (part: Part): boolean =>
  part.kind === "word" || part.kind === "operator" || textOf(part) !== null;

const between = (from: string | null, to: string | null): number | null => {
  const [first, last] = [wholeNumber(from), wholeNumber(to)];
  if (first === null || last === null || Math.abs(last - first) >= maxTurns) {
    return null;
  }
  return Math.abs(last - first) + 1;
};
