import { type Part, Unreadable } from "./ast.ts";
import { type Cursor, isNameChar } from "./cursor.ts";

/** What parse-script.ts lends us: expressions and commands nest in each other. */
export type Readers = Readonly<{
  value(cursor: Cursor, names: boolean): Part;
  array(cursor: Cursor): Part;
}>;

/**
 * Reads values and operators up to `close` and past it. Two values never stand side by side, and a bare name only
 * where names of properties may (`names`): so nothing in here can be read as a command.
 */
export const parseExpression = (
  cursor: Cursor,
  close: ")" | "}",
  names: boolean,
  readers: Readers,
): readonly Part[] => {
  const parts: Part[] = [];
  let operand = false;
  for (;;) {
    cursor.skipSpace(true);
    if (cursor.ended) {
      throw new Unreadable(`A "${close}" is missing.`);
    }
    if (cursor.peek() === close) {
      cursor.at++;
      return parts;
    }
    const part: Part =
      parseOperator(cursor, operand, close) ?? parseOperand(cursor, names, readers);
    const isOperand: boolean = part.kind !== "operator";
    if (isOperand && operand) {
      throw new Unreadable("Two values stand side by side in an expression.");
    }
    operand = isOperand;
    parts.push(part);
  }
};

/** An operator, as a symbol or a word; null when a value stands here. */
const parseOperator = (cursor: Cursor, operand: boolean, close: ")" | "}"): Part | null => {
  if (close === "}" && cursor.peek() === ";") {
    cursor.at++;
    return { kind: "operator", text: ";" };
  }
  for (const text of operand ? binary : unary) {
    if (!cursor.is(text)) {
      continue;
    }
    if (isNameChar(text.charAt(0)) && isNameChar(cursor.ahead(text.length))) {
      continue;
    }
    cursor.at += text.length;
    return { kind: "operator", text };
  }
  return null;
};

const parseOperand = (cursor: Cursor, names: boolean, readers: Readers): Part => {
  if (cursor.peek() === "{") {
    return readers.array(cursor);
  }
  if (openers.has(cursor.peek())) {
    return readers.value(cursor, names);
  }
  const text = cursor.takeWhile(isOperandChar);
  if (text === "") {
    cursor.unexpected();
  }
  if (!names && !isLiteral(text) && cursor.peek() !== "=") {
    throw new Unreadable(`Put "${text.slice(0, 40)}" in quotes.`);
  }
  return { kind: "word", text };
};

const openers = new Set(['"', "$", "(", "["]);

const isOperandChar = (char: string): boolean =>
  isNameChar(char) || char === "-" || char === "_" || char === "." || char === ":";

/** A number, a time, an address, an id, or one of the words that stand for a value. */
const isLiteral = (text: string): boolean => {
  const first = text.charAt(0);
  return (first >= "0" && first <= "9") || literalWords.has(text) || text.startsWith("::");
};

const literalWords = new Set("true false yes no nil nothing".split(" "));

/** The longest first. `-` and `*` before a value are a sign and an internal id. */
const binary = "-> << >> <= >= != && || and or in = < > ~ | & ^ + - * / % . ,".split(" ");
const unary = ["!", "~", "-", "not", "*"];
