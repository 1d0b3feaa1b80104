import type { Signature } from "./grammar.ts";
import { parseArgument } from "./parse-expression.ts";
import type { Parsing } from "./parsing.ts";
import type { Condition } from "./syntax.ts";

/** The tests of `find where a="1" and b~"2" or c=3`: any of the groups, each of them all. */
export function parseConditions(parsing: Parsing, signature: Signature): Condition[][] {
  const { scanner } = parsing;
  const groups: Condition[][] = [[]];
  for (;;) {
    scanner.skipBlanks();
    if (scanner.atDelimiter) {
      return groups;
    }
    if (scanner.take(/(?:or(?=\s)|\|\|)/y)) {
      groups.push([]);
    } else if (!scanner.take(/(?:and(?=\s)|&&)/y)) {
      groups.at(-1)?.push(condition(parsing, signature));
    }
  }
}

function condition(parsing: Parsing, signature: Signature): Condition {
  const { scanner } = parsing;
  const start = scanner.position;
  const key = scanner.take(/[a-z0-9-]+/y);
  if (key === undefined || !signature.parameters.has(key)) {
    return scanner.fault("expected end of command", start);
  }
  const operator = scanner.take(/!=|=|~/y);
  if (operator === undefined) {
    return scanner.fault("expected = != or ~");
  }
  const value = parseArgument(parsing);
  if (value.type === "variable" && signature.parameters.has(value.name)) {
    scanner.fault(`in a filter $${value.name} is the property, not the variable: rename it`, start);
  }
  return { key, operator, value };
}
