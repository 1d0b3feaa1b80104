import type { Block, Expression, Statement } from "./syntax.ts";

export type CommandStatement = Extract<Statement, { type: "command" }>;

/** Every command of a parsed script, those inside blocks, brackets and strings too. */
export function commandsIn(block: Block): CommandStatement[] {
  return block.statements.flatMap(inStatement);
}

function inStatement(statement: Statement): CommandStatement[] {
  switch (statement.type) {
    case "command":
      return [
        statement,
        ...[...statement.parameters.values()].flatMap(inExpression),
        ...statement.where.flat().flatMap(({ value }) => inExpression(value)),
      ];
    case "call":
      return [statement.target, ...statement.arguments.map(({ value }) => value)].flatMap(
        inExpression,
      );
    case "scope":
      return commandsIn(statement.block);
    case "menu":
      return [];
  }
}

function inExpression(expression: Expression): CommandStatement[] {
  switch (expression.type) {
    case "literal":
    case "word":
    case "variable":
      return [];
    case "block":
    case "command":
      return commandsIn(expression.block);
    case "template":
      return expression.parts.flatMap((part) =>
        typeof part === "string" ? [] : inExpression(part),
      );
    case "array":
      return expression.entries.flatMap(({ key, value }) => [
        ...(key === undefined ? [] : inExpression(key)),
        ...inExpression(value),
      ]);
    case "unary":
      return inExpression(expression.operand);
    case "binary":
      return [...inExpression(expression.left), ...inExpression(expression.right)];
  }
}
