import { parseString } from "./parse-string.ts";
import { readWord } from "./parse-value.ts";
import type { Parsing } from "./parsing.ts";
import type { Scanner } from "./scanner.ts";
import type { Entry, Expression } from "./syntax.ts";
import { str } from "./values.ts";

/** Binary operators from the loosest to the tightest; only `<<` and `>>` lean to the right. */
const levels: readonly (readonly [RegExp, "left" | "right"])[] = [
  [/,/y, "left"],
  [/\|\||or(?=[\s($["!])/y, "left"],
  [/&&|and(?=[\s($["!])/y, "left"],
  [/in(?=[\s($["])/y, "left"],
  [/!=|<=|>=|=|<(?!<)|>(?!>)|~/y, "left"],
  [/\./y, "left"],
  [/<<|>>/y, "right"],
  [/\|(?!\|)/y, "left"],
  [/\^/y, "left"],
  [/&(?!&)/y, "left"],
  [/\+|-(?!>)/y, "left"],
  [/[*/%]/y, "left"],
  [/->/y, "left"],
];

const spelling: Readonly<Record<string, string>> = { "||": "or", "&&": "and" };

/** `( … )`, standing on its opening parenthesis. A line ends it unless joined with `\`. */
export function parseExpression(parsing: Parsing): Expression {
  const { scanner } = parsing;
  scanner.expect("(");
  const inner = parseLevel(parsing, 0);
  scanner.skipBlanks();
  scanner.expect(")");
  return inner;
}

function parseLevel(parsing: Parsing, level: number): Expression {
  const [pattern, leans] = levels[level] ?? [];
  if (pattern === undefined) {
    return parseUnary(parsing);
  }
  const { scanner } = parsing;
  let left = parseLevel(parsing, level + 1);
  for (;;) {
    scanner.skipBlanks();
    const taken = scanner.take(pattern);
    if (taken === undefined) {
      return left;
    }
    const operator = spelling[taken] ?? taken;
    const right = parseLevel(parsing, leans === "right" ? level : level + 1);
    left = { type: "binary", operator, left, right };
  }
}

function parseUnary(parsing: Parsing): Expression {
  const { scanner } = parsing;
  scanner.skipBlanks();
  const operator = scanner.take(/[!~-]/y);
  if (operator !== undefined) {
    return { type: "unary", operator, operand: parseUnary(parsing) };
  }
  return parsePrimary(parsing, true);
}

/** A value where a command wants one: no operators without parentheses. */
export function parseArgument(parsing: Parsing): Expression {
  const { scanner } = parsing;
  const value = parsePrimary(parsing, false);
  if (!scanner.atDelimiter) {
    scanner.fault("expected end of command");
  }
  return value;
}

function parsePrimary(parsing: Parsing, inExpression: boolean): Expression {
  const { scanner } = parsing;
  switch (scanner.here) {
    case '"':
      return parseString(parsing, () => parseExpression(parsing));
    case "$":
      return parseVariable(scanner);
    case "[":
      return parsing.bracket();
    case "(":
      return parseExpression(parsing);
    case "{":
      return parseArray(parsing, inExpression);
    default:
      return inExpression ? operandWord(scanner) : argumentWord(scanner);
  }
}

function argumentWord(scanner: Scanner): Expression {
  const text = scanner.take(/[^\s;\]})({["$\\]+/y) ?? "";
  return { type: "word", text, value: text === "" ? str("") : readWord(text) };
}

/** Inside parentheses only numbers, true, false, times, addresses and ids stand bare. */
function operandWord(scanner: Scanner): Expression {
  const start = scanner.position;
  const text =
    scanner.take(/(?:\d{1,3}\.){3}\d{1,3}(?:\/\d{1,2})?/y) ??
    scanner.take(/\*[0-9A-F]+|(?:\d+d)?\d{1,2}:\d{2}:\d{2}|[0-9A-Za-z]+/y);
  if (text === undefined) {
    return scanner.fault("expected an operand");
  }
  const value = readWord(text);
  if (value.kind === "str") {
    scanner.fault(`quote ${text}`, start);
  }
  return { type: "literal", value };
}

/** `$name` or `$"a-name"`. Without quotes a name ends at the first `-` or `_`. */
export function parseVariable(scanner: Scanner): Expression {
  scanner.expect("$");
  const name = scanner.take(/"[A-Za-z0-9_-]+"/y)?.slice(1, -1) ?? scanner.take(/[A-Za-z0-9]+/y);
  if (name === undefined) {
    return scanner.fault("expected a variable name");
  }
  if (scanner.here === "_") {
    scanner.fault(`$${name}_…: a name with _ needs quotes`);
  }
  return { type: "variable", name };
}

/** `{a=1;"b_c"=2;3}`. */
function parseArray(parsing: Parsing, inExpression: boolean): Expression {
  const { scanner } = parsing;
  scanner.expect("{");
  const entries: Entry[] = [];
  for (;;) {
    scanner.skipLines();
    if (scanner.here === "}") {
      break;
    }
    entries.push(parseEntry(parsing));
    scanner.skipLines();
    if (scanner.here !== "}") {
      scanner.expect(";");
    }
  }
  scanner.expect("}");
  if (entries.length === 0 && !inExpression) {
    scanner.fault('an empty {} here is not established: write [:toarray ""]');
  }
  return { type: "array", entries };
}

function parseEntry(parsing: Parsing): Entry {
  const { scanner } = parsing;
  const bare = scanner.take(/[A-Za-z][A-Za-z0-9_-]*(?==)/y);
  if (bare !== undefined) {
    scanner.expect("=");
    const key: Expression = { type: "literal", value: str(bare) };
    return { key, lost: !/^[a-z][a-z0-9]*$/.test(bare), value: parsePrimary(parsing, false) };
  }
  const first = parsePrimary(parsing, false);
  return scanner.take(/=/y) === undefined
    ? { value: first }
    : { key: first, value: parsePrimary(parsing, false) };
}
