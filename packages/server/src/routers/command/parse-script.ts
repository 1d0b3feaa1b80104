/**
 * Reads RouterOS script. Where versions, or console and import, could read a text in two ways, it is refused:
 * what we judge must be what the router runs.
 */
import { type Argument, type Command, type Part, type Script, Unreadable } from "./ast.ts";
import { Cursor, isNameChar, isWordChar } from "./cursor.ts";
import { parseExpression } from "./parse-expression.ts";
import { isOperand, isOperator, lastSegment, parseOperator } from "./parse-operator.ts";
import { parseString } from "./parse-string.ts";
import { parseVariable, parseWord } from "./parse-word.ts";

/** @throws Unreadable with a reason for the router's owner */
export const parseScript = (text: string): Script => parseCommands(new Cursor(text), "");

/** Reads commands up to `close` (`]`, `}`, or the end of the text) and past it. */
const parseCommands = (cursor: Cursor, close: "" | "]" | "}"): Script => {
  const commands: Command[] = [];
  for (;;) {
    skipBetween(cursor, close !== "]");
    if (cursor.ended) {
      if (close === "") {
        return commands;
      }
      throw new Unreadable(`A "${close}" is missing.`);
    }
    if (cursor.peek() === close) {
      cursor.at++;
      return commands;
    }
    commands.push(parseCommand(cursor));
  }
};

/** Skips what may stand between two commands. A comment ends with its line, whatever it ends in. */
const skipBetween = (cursor: Cursor, comments: boolean): void => {
  for (;;) {
    cursor.skipSpace(true);
    if (cursor.peek() === ";") {
      cursor.at++;
    } else if (cursor.peek() === "#" && comments) {
      skipComment(cursor);
    } else {
      return;
    }
  }
};

const skipComment = (cursor: Cursor): void => {
  const comment = cursor.takeWhile((char) => char !== "\n").trimEnd();
  // Whether the next line would belong to the comment is not the same everywhere.
  if (comment.endsWith("\\")) {
    throw new Unreadable('A comment ends in "\\"; leave that out.');
  }
};

const parseCommand = (cursor: Cursor): Command => {
  const start = cursor.at;
  const prefix = parsePrefix(cursor);
  const args: Argument[] = [];
  const place: Place = { head: "", conditions: false };
  while (!endsCommand(cursor)) {
    const arg = parseArgument(cursor, place, args);
    note(place, arg, args.length === 0, prefix);
    args.push(arg);
    const spaced = cursor.skipSpace();
    if (prefix === "bare" && !endsCommand(cursor)) {
      cursor.unexpected();
    }
    if (!spaced && !endsCommand(cursor) && !touches(cursor, arg)) {
      cursor.unexpected();
    }
  }
  return { text: cursor.text.slice(start, cursor.at).trimEnd(), prefix, args };
};

/** What the arguments read so far mean for the ones to come. */
type Place = {
  /** The `:` command's name, as written. */
  head: string;
  /** Names of properties and operators may follow: after `where` or `find`. */
  conditions: boolean;
};

const note = (place: Place, arg: Argument, first: boolean, prefix: Command["prefix"]): void => {
  if (arg.name !== null || arg.value?.kind !== "word") {
    return;
  }
  const word = arg.value.text;
  if (first && prefix === "global") {
    place.head = word;
  }
  const last = lastSegment(word);
  if (prefix !== "global" && (last === "where" || last === "find")) {
    place.conditions = true;
  }
};

const parsePrefix = (cursor: Cursor): Command["prefix"] => {
  switch (cursor.peek()) {
    case ":":
      cursor.at++;
      if (!isNameChar(cursor.peek())) {
        cursor.unexpected();
      }
      return "global";
    case "/":
      cursor.at++;
      if (cursor.peek() === "/" || cursor.peek() === ":") {
        cursor.unexpected();
      }
      cursor.skipSpace();
      return "absolute";
    case "{":
    case "[":
      return "bare";
    case "$":
      throw new Unreadable(
        "It calls a function kept in a variable, and what that does cannot be read here; write the commands out.",
      );
    default:
      if (!isWordChar(cursor.peek()) || cursor.peek() === ":") {
        cursor.unexpected();
      }
      return "relative";
  }
};

const endsCommand = (cursor: Cursor): boolean => {
  if (cursor.ended || cursor.lineEnd() > 0) {
    return true;
  }
  const char = cursor.peek();
  return char === ";" || char === "]" || char === "}";
};

/** Whether what follows may follow without a space: operators around conditions. */
const touches = (cursor: Cursor, arg: Argument): boolean =>
  isOperator(cursor.peek()) || (arg.name === null && arg.value?.kind === "operator");

const parseArgument = (cursor: Cursor, place: Place, before: readonly Argument[]): Argument => {
  if (isOperator(cursor.peek())) {
    return { name: null, value: parseOperator(cursor, isOperand(before.at(-1))) };
  }
  if (!isWordChar(cursor.peek())) {
    return { name: null, value: parseValue(cursor, place, null) };
  }
  const word = parseWord(cursor, before.length > 0);
  if (cursor.peek() !== "=") {
    return { name: null, value: { kind: "word", text: word } };
  }
  cursor.at++;
  if (cursor.peek() === "\\") {
    cursor.skipSpace();
  }
  if (endsCommand(cursor) || cursor.peek() === " " || cursor.peek() === "\t") {
    return { name: word, value: null };
  }
  return { name: word, value: parseValue(cursor, place, word) };
};

const parseValue = (cursor: Cursor, place: Place, name: string | null): Part => {
  switch (cursor.peek()) {
    case '"':
      return parseString(cursor, parseNested);
    case "$":
      return parseVariable(cursor);
    case "(":
    case "[":
      return place.conditions ? parseCondition(cursor) : parseNested(cursor);
    case "{":
      if (holdsArray(place.head, name)) {
        return parseArray(cursor);
      }
      cursor.at++;
      return cursor.nested(() => ({ kind: "block", script: parseCommands(cursor, "}") }));
    case "!": {
      cursor.at++;
      return { kind: "word", text: `!${parseWord(cursor, true)}` };
    }
    default:
      if (!isWordChar(cursor.peek())) {
        cursor.unexpected();
      }
      return { kind: "word", text: parseWord(cursor, true) };
  }
};

const parseNested = (cursor: Cursor): Part => parseBracketed(cursor, false);

const parseCondition = (cursor: Cursor): Part => parseBracketed(cursor, true);

const parseBracketed = (cursor: Cursor, names: boolean): Part => {
  const open = cursor.peek();
  cursor.at++;
  return cursor.nested((): Part => {
    if (open === "[") {
      return { kind: "call", script: parseCommands(cursor, "]") };
    }
    return { kind: "group", parts: parseExpression(cursor, ")", names, expressionReaders) };
  });
};

const parseArray = (cursor: Cursor): Part => {
  cursor.at++;
  return cursor.nested(() => ({
    kind: "group",
    parts: parseExpression(cursor, "}", false, expressionReaders),
  }));
};

/** An operand of an expression that is not a word. */
const parseAtom = (cursor: Cursor, names: boolean): Part => {
  if (cursor.peek() === '"') {
    return parseString(cursor, parseNested);
  }
  if (cursor.peek() === "$") {
    return parseVariable(cursor);
  }
  return parseBracketed(cursor, names);
};

const expressionReaders = { value: parseAtom, array: parseArray };

/** Where `{ … }` is a list of values. Everywhere else it holds commands, and is judged as such. */
const holdsArray = (head: string, name: string | null): boolean => {
  if (name === null) {
    return arrayCommands.has(head);
  }
  return head === "foreach" && name === "in";
};

const arrayCommands = new Set(
  "local global set put len typeof tostr toarray pick find serialize return".split(" "),
);
