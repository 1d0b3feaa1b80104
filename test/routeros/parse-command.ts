import type { Parameter, Signature } from "./grammar.ts";
import { parseConditions } from "./parse-conditions.ts";
import { parseArgument } from "./parse-expression.ts";
import type { Parsing } from "./parsing.ts";
import type { Argument, Condition, Expression, Statement } from "./syntax.ts";
import { str } from "./values.ts";

/** `:name …`, `/path name …`, or a command of the menu we stand in. */
export function parseCommand(parsing: Parsing): Statement {
  const { scanner, grammar } = parsing;
  const place = scanner.place();
  const start = scanner.position;
  const name = scanner.here === ":" ? scanner.take(/:[a-z0-9-]+/y) : path(parsing);
  const signature = name === undefined ? undefined : grammar.signature(name);
  if (name !== undefined && signature === undefined && grammar.isMenu(name)) {
    parsing.menu = name;
    return { ...place, type: "menu", path: name };
  }
  if (name === undefined || signature === undefined) {
    return scanner.fault(`bad command name ${name ?? scanner.here}`, start);
  }
  const outer = parsing.menu;
  if (name.startsWith("/")) {
    parsing.menu = name.slice(0, Math.max(0, name.lastIndexOf(" ")));
  }
  const given = parseParameters(parsing, signature);
  parsing.menu = outer;
  const text = scanner.source.slice(start, scanner.position).trimEnd();
  return { ...place, type: "command", name, text, ...given };
}

/** The canonical path of the command or menu here: `/system/script run` is `/system script run`. */
function path(parsing: Parsing): string | undefined {
  const { scanner, grammar } = parsing;
  let found = scanner.take(/\//y) === undefined ? parsing.menu : "";
  for (;;) {
    const word = scanner.take(/[a-z0-9-]+/y);
    if (word === undefined) {
      return found === "" ? undefined : found;
    }
    found = found === "" ? `/${word}` : `${found} ${word}`;
    if (grammar.signature(found) !== undefined || !grammar.isMenu(found)) {
      return found;
    }
    if (scanner.take(/\//y) === undefined) {
      scanner.skipBlanks();
    }
  }
}

type Given = {
  parameters: Map<string, Expression>;
  flags: Set<string>;
  unknown?: string;
  where: readonly (readonly Condition[])[];
};

function parseParameters(parsing: Parsing, signature: Signature): Given {
  const { scanner } = parsing;
  const given: Given = { parameters: new Map(), flags: new Set(), where: [] };
  for (;;) {
    const spaced = scanner.skipBlanks();
    if (scanner.atDelimiter) {
      return complete(parsing, signature, given);
    }
    if (!spaced) {
      scanner.fault("expected end of command");
    }
    if (signature.filters && (scanner.take(/where(?=[ \t])/y) || isFilter(parsing, signature))) {
      scanner.skipBlanks();
      given.where = parseConditions(parsing, signature);
      return given;
    }
    parseParameter(parsing, signature, given);
  }
}

function complete({ scanner }: Parsing, { required }: Signature, given: Given): Given {
  const missing = [...required].filter((name) => !given.parameters.has(name));
  return missing.length === 0
    ? given
    : scanner.fault(`missing value(s) of argument(s) ${missing.join(" ")}`);
}

/** `find name=x` filters without saying `where`. */
function isFilter({ scanner }: Parsing, signature: Signature): boolean {
  const name = scanner.peek(/!?[a-z0-9-]+(?=\s*(?:!=|=|~|<|>))/y);
  return name !== undefined && name !== "file" && signature.parameters.has(name);
}

function parseParameter(parsing: Parsing, signature: Signature, given: Given): void {
  const { scanner } = parsing;
  const start = scanner.position;
  const named = scanner.take(/[A-Za-z][A-Za-z0-9.-]*=/y)?.slice(0, -1);
  if (named === undefined) {
    const flag = scanner.peek(/[a-z-]+(?=[\s;\]})]|$)/y);
    if (flag !== undefined && signature.flags.has(flag)) {
      scanner.position += flag.length;
      given.flags.add(flag);
      return;
    }
  }
  const parameter =
    named === undefined
      ? signature.positional.find(({ name }) => !given.parameters.has(name))
      : signature.parameters.get(named);
  if (parameter !== undefined && !given.parameters.has(parameter.name)) {
    given.parameters.set(parameter.name, parseOfKind(parsing, parameter));
  } else if (named !== undefined && parsing.grammar.toleratesUnknown) {
    given.unknown = named;
    parseArgument(parsing);
  } else {
    scanner.fault("expected end of command", start);
  }
}

function parseOfKind(parsing: Parsing, { kind, name }: Parameter): Expression {
  const { scanner } = parsing;
  if (kind === "name" && scanner.here !== "(") {
    const quoted = scanner.take(/"[A-Za-z0-9_-]+"/y)?.slice(1, -1);
    const bare = quoted ?? scanner.take(/[A-Za-z][A-Za-z0-9]*(?:,[A-Za-z][A-Za-z0-9]*)?/y);
    return bare === undefined
      ? scanner.fault("expected a variable name (quote one with - or _)")
      : { type: "literal", value: str(bare) };
  }
  if (kind === "code" || (kind === "script" && scanner.here === "{")) {
    return scanner.here === "{"
      ? { type: "block", block: parsing.block() }
      : scanner.fault(`${name}= wants a { } block`);
  }
  return parseArgument(parsing);
}

/** What follows `$function`: `do=` takes code, all else values. */
export function parseArguments(parsing: Parsing): Argument[] {
  const { scanner } = parsing;
  const given: Argument[] = [];
  for (;;) {
    const spaced = scanner.skipBlanks();
    if (scanner.atDelimiter) {
      return given;
    }
    if (!spaced) {
      scanner.fault("expected end of command");
    }
    const name = scanner.take(/[A-Za-z][A-Za-z0-9]*=/y)?.slice(0, -1);
    const value: Expression =
      name === "do" && scanner.here === "{"
        ? { type: "block", block: parsing.block() }
        : parseArgument(parsing);
    given.push(name === undefined ? { value } : { name, value });
  }
}
