import { wordOf } from "./arguments.ts";
import type { Argument, Part } from "./ast.ts";
import { lookUpGlobal } from "./globals.ts";
import type { Scope } from "./scope.ts";

/** About how much a command's result holds when only the router knows it. */
export const usualSize = 4096;
/** More than a script may build without a code: a few lines that double a text fill any router's memory. */
export const maxSize = 1_000_000;

/** About how many characters the values hold once variables are put in. */
export const sizeOf = (args: readonly Argument[], scope: Scope): number =>
  args.reduce((sum, { value }) => sum + (value === null ? 0 : sizeOfPart(value, scope)), 0);

const sizeOfPart = (part: Part, scope: Scope): number => {
  switch (part.kind) {
    case "word":
    case "operator":
      return part.text.length;
    case "variable":
      return scope.sizeOf(part.name) ?? usualSize;
    case "string":
      return part.text.length + sizeOfParts(part.parts, scope);
    case "group":
      return sizeOfParts(part.parts, scope);
    case "call":
      return part.script.reduce((sum, { args }) => {
        const grows = growing.has(lookUpGlobal(wordOf(args[0]) ?? "")?.name ?? "");
        return sum + sizeOf(args, scope) * (grows ? growth : 1);
      }, usualSize);
    case "block":
      return usualSize;
  }
};

const sizeOfParts = (parts: readonly Part[], scope: Scope): number =>
  parts.reduce((sum, part) => sum + sizeOfPart(part, scope), 0);

/** They give more than they are given: hexadecimal digits twice as much, bits eight times. */
const growing = new Set(["convert", "serialize", "tocrlf", "toarray", "tostr"]);
const growth = 8;
