import { type Argument, type Part, Unreadable } from "./ast.ts";
import type { Cursor } from "./cursor.ts";

const operators = new Set("=<>~!|&^");

/** Whether an operator between conditions begins with this character. */
export const isOperator = (char: string): boolean => char !== "" && operators.has(char);

/** Reads an operator. Without something to its left only "not" makes sense: a leading `>` makes code of what follows. */
export const parseOperator = (cursor: Cursor, operand: boolean): Part => {
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
};

const known = (text: string): Part => {
  if (!knownOperators.has(text)) {
    throw new Unreadable(`RouterOS knows no "${text.slice(0, 10)}".`);
  }
  return { kind: "operator", text };
};

const knownOperators = new Set("= != < > <= >= ~ ! || && | & ^".split(" "));

/** Whether an operator after this argument has something to its left. */
export const isOperand = (arg: Argument | undefined): boolean => {
  const value = arg?.value ?? null;
  if (value === null || value.kind === "operator") {
    return false;
  }
  return arg?.name !== null || value.kind !== "word" || !beforeOperand.has(lastSegment(value.text));
};

const beforeOperand = new Set(["where", "find", "and", "or", "in", "not"]);

/** `print` of `/ip/address/print`. */
export const lastSegment = (word: string): string => word.slice(word.lastIndexOf("/") + 1);
