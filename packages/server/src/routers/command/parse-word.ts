import { type Part, Unreadable } from "./ast.ts";
import { type Cursor, isNameChar, isWordChar } from "./cursor.ts";
import { parseString } from "./parse-string.ts";

/** A word. One that begins like a command, where none may begin, could start a second one on the same line. */
export const parseWord = (cursor: Cursor, inside: boolean): string => {
  const word = cursor.takeWhile(isWordChar);
  const addressLike = word.startsWith("::");
  if (inside && (word.startsWith("/") || (word.startsWith(":") && !addressLike))) {
    throw new Unreadable(
      `"${word.slice(0, 40)}" looks like a second command on the same line; part commands with ";" and put values in quotes.`,
    );
  }
  return word;
};

/** `$name` or `$"name"`. */
export const parseVariable = (cursor: Cursor): Part => {
  cursor.at++;
  if (cursor.peek() === '"') {
    const quoted = parseString(cursor, noSubstitution);
    if (quoted.parts.length > 0 || quoted.text === "") {
      cursor.unexpected();
    }
    return { kind: "variable", name: quoted.text };
  }
  const name = cursor.takeWhile(isNameChar);
  if (name === "") {
    cursor.unexpected();
  }
  return { kind: "variable", name };
};

const noSubstitution = (cursor: Cursor): never => cursor.unexpected();
