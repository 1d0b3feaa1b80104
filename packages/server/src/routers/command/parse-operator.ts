import { type Argument, type Part, Unreadable } from "./ast.ts";
import type { Cursor } from "./cursor.ts";

const OPERATORS = new Set("=<>~!|&^");

/** Whether an operator between conditions begins with this character. */
export function isOperator(char: string): boolean {
  return char !== "" && OPERATORS.has(char);
}

/** Reads an operator. Without something to its left only "not" makes sense: a leading `>` makes code of what follows. */
export function parseOperator(cursor: Cursor, operand: boolean): Part {
  if (!operand && cursor.peek() !== "!") {
    cursor.unexpected();
  }
  const text = cursor.takeWhile(isOperator);
  // "not" may follow another operator at once.
  const not = text.length > 1 && text.endsWith("!") ? text.length - 1 : 0;
  if (not > 0) {
    cursor.at--;
    return known(text.slice(0, -1));
  }
  return known(text);
}

function known(text: string): Part {
  if (!KNOWN_OPERATORS.has(text)) {
    throw new Unreadable(`RouterOS knows no "${text.slice(0, 10)}".`);
  }
  return { kind: "operator", text };
}

const KNOWN_OPERATORS = new Set("= != < > <= >= ~ ! || && | & ^".split(" "));

/** Whether an operator after this argument has something to its left. */
export function isOperand(arg: Argument | undefined): boolean {
  const value = arg?.value ?? null;
  if (value === null || value.kind === "operator") {
    return false;
  }
  return (
    arg?.name !== null || value.kind !== "word" || !BEFORE_OPERAND.has(lastSegment(value.text))
  );
}

const BEFORE_OPERAND = new Set(["where", "find", "and", "or", "in", "not"]);

/** `print` of `/ip/address/print`. */
export function lastSegment(word: string): string {
  return word.slice(word.lastIndexOf("/") + 1);
}
