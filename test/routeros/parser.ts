import type { Grammar } from "./grammar.ts";
import { parseArguments, parseCommand } from "./parse-command.ts";
import { parseExpression, parseVariable } from "./parse-expression.ts";
import type { Parsing } from "./parsing.ts";
import { Scanner } from "./scanner.ts";
import type { Block, Expression, Statement } from "./syntax.ts";

/**
 * Parses a whole script for one RouterOS version. Throws `SyntaxFault` on the first thing that
 * version would not take: an unknown command or parameter anywhere means that nothing runs.
 */
export function parseScript(source: string, grammar: Grammar): Block {
  const scanner = new Scanner(source);
  const parsing: Parsing = {
    scanner,
    grammar,
    menu: "",
    block: () => parseBetween(parsing, "{", "}"),
    bracket: () => parseBracket(parsing),
  };
  const statements = parseStatements(parsing, "");
  if (!scanner.atEnd) {
    scanner.fault("expected end of command");
  }
  return { statements, source };
}

function parseBracket(parsing: Parsing): Expression {
  const block = parseBetween(parsing, "[", "]");
  if (block.statements.length === 0) {
    parsing.scanner.fault("an empty [] is not established");
  }
  if (block.statements.length > 1) {
    parsing.scanner.fault("[] holds a single command");
  }
  return { type: "command", block };
}

function parseBetween(parsing: Parsing, open: string, close: string): Block {
  const { scanner, menu } = parsing;
  scanner.expect(open);
  const start = scanner.position;
  const statements = parseStatements(parsing, close);
  const source = scanner.source.slice(start, scanner.position);
  scanner.expect(close);
  parsing.menu = menu;
  return { statements, source };
}

function parseStatements(parsing: Parsing, close: string): Statement[] {
  const { scanner } = parsing;
  const statements: Statement[] = [];
  for (;;) {
    skipToStatement(scanner);
    if (scanner.atEnd || scanner.here === close) {
      return statements;
    }
    statements.push(parseStatement(parsing));
    scanner.skipBlanks();
    if (!scanner.atEnd && !/[\r\n;]/.test(scanner.here) && scanner.here !== close) {
      scanner.fault("expected end of command");
    }
  }
}

/** A comment may only stand where a statement could begin. */
function skipToStatement(scanner: Scanner): void {
  while (scanner.take(/(?:[\s;]|\\\r?\n)+/y) !== undefined || scanner.take(/#[^\n]*/y)) {
    // Each turn takes something.
  }
}

function parseStatement(parsing: Parsing): Statement {
  const { scanner } = parsing;
  const place = scanner.place();
  switch (scanner.here) {
    case "{":
      return { ...place, type: "scope", block: parsing.block() };
    case "$":
      return call(parsing, parseVariable(scanner));
    case "[":
      return call(parsing, parsing.bracket());
    case "(":
      return call(parsing, parseExpression(parsing));
    default:
      return parseCommand(parsing);
  }
}

function call(parsing: Parsing, target: Expression): Statement {
  const place = parsing.scanner.place();
  return { ...place, type: "call", target, arguments: parseArguments(parsing) };
}
