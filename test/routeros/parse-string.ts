import type { Parsing } from "./parsing.ts";
import type { Scanner } from "./scanner.ts";
import type { Expression } from "./syntax.ts";
import { str } from "./values.ts";

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  $: "$",
  _: " ",
  n: "\n",
  r: "\r",
  t: "\t",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
};

/** A `"string"` with its escapes, `$name`, `$(…)` (read by `expression`) and `$[…]`. */
export function parseString(parsing: Parsing, expression: () => Expression): Expression {
  const { scanner } = parsing;
  scanner.expect('"');
  const parts: (string | Expression)[] = [];
  let text = "";
  while (scanner.here !== '"') {
    const plain = scanner.take(/[^"\\$\r\n]+/y);
    if (plain !== undefined) {
      text += plain;
    } else if (scanner.here === "\\") {
      text += readEscape(scanner);
    } else if (scanner.here === "$") {
      parts.push(text, embedded(parsing, expression));
      text = "";
    } else {
      scanner.fault("a string ends on its line (join lines with \\)");
    }
  }
  scanner.expect('"');
  return parts.length === 0
    ? { type: "literal", value: str(text) }
    : { type: "template", parts: [...parts, text] };
}

function readEscape(scanner: Scanner): string {
  if (scanner.take(/\\\r?\n[ \t]*/y) !== undefined) {
    return "";
  }
  const hex = scanner.take(/\\[0-9A-F]{2}/y);
  if (hex !== undefined) {
    return String.fromCharCode(Number.parseInt(hex.slice(1), 16));
  }
  const simple = escapes[scanner.take(/\\./y)?.slice(1) ?? ""];
  return simple ?? scanner.fault("bad escape (hex digits are two and upper-case)");
}

function embedded(parsing: Parsing, expression: () => Expression): Expression {
  const { scanner } = parsing;
  const start = scanner.position;
  const name = scanner.take(/\$[A-Za-z0-9]+/y)?.slice(1);
  if (name !== undefined) {
    if (scanner.here === "_") {
      scanner.fault(`$${name}_…: end the name with $(${name}) or write $[…]`);
    }
    return { type: "variable", name };
  }
  scanner.expect("$");
  if (scanner.here !== "(" && scanner.here !== "[") {
    scanner.fault("escape this $", start);
  }
  const inner = scanner.here === "(" ? expression() : parsing.bracket();
  if (scanner.source.slice(start, scanner.position).includes('"')) {
    scanner.fault("quotes inside $( ) or $[ ] of a string are not established", start);
  }
  return inner;
}
