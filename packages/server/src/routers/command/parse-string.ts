import { type Part, type StringPart, Unreadable } from "./ast.ts";
import { type Cursor, isNameChar } from "./cursor.ts";

/** Reads what is substituted in a string; the cursor stands on `[` or `(`. */
type ReadNested = (cursor: Cursor) => Part;

/** Reads a quoted string; the cursor stands on its opening quote. @throws Unreadable */
export const parseString = (cursor: Cursor, readNested: ReadNested): StringPart => {
  cursor.at++;
  const parts: Part[] = [];
  let text = "";
  let joined = false;
  while (cursor.peek() !== '"') {
    if (cursor.ended) {
      throw new Unreadable("A quoted text is not closed.");
    }
    if (cursor.lineEnd() > 0) {
      throw new Unreadable('A quoted text runs over a line end; write "\\n" for a new line.');
    }
    if (cursor.peek() === "$") {
      parts.push(parseSubstitution(cursor, readNested));
    } else if (cursor.peek() === "\\") {
      const escaped = parseEscape(cursor);
      joined ||= escaped === "";
      text += escaped;
    } else {
      text += cursor.peek();
      cursor.at++;
    }
  }
  cursor.at++;
  return { kind: "string", text, parts, joined };
};

const parseSubstitution = (cursor: Cursor, readNested: ReadNested): Part => {
  cursor.at++;
  if (cursor.peek() === "[" || cursor.peek() === "(") {
    return readNested(cursor);
  }
  const name = cursor.takeWhile(isNameChar);
  // `"…$"` may open a quoted variable name instead of closing the string.
  if (name === "") {
    throw new Unreadable('Write "\\$" for a dollar sign in quotes.');
  }
  return { kind: "variable", name };
};

/** Gives the character meant; the empty string for a joined line. */
const parseEscape = (cursor: Cursor): string => {
  const next = cursor.ahead(1);
  const simple = escapes.get(next);
  if (simple !== undefined) {
    cursor.at += 2;
    return simple;
  }
  cursor.at++;
  const lineEnd = cursor.lineEnd();
  if (lineEnd > 0) {
    cursor.at += lineEnd;
    cursor.takeWhile((char) => char === " " || char === "\t");
    return "";
  }
  const hex = cursor.peek() + cursor.ahead(1);
  if (hex.length !== 2 || !hexDigits.has(hex.charAt(0)) || !hexDigits.has(hex.charAt(1))) {
    throw new Unreadable(`RouterOS knows no "\\${next}" in quotes.`);
  }
  cursor.at += 2;
  return String.fromCharCode(Number.parseInt(hex, 16));
};

const hexDigits = new Set("0123456789ABCDEF");

const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["$", "$"],
  ["?", "?"],
  ["_", " "],
  ["a", "\u0007"],
  ["b", "\b"],
  ["f", "\f"],
  ["v", "\v"],
]);
