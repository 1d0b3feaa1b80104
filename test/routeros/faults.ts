import type { Value } from "./values.ts";

/** An error a script can catch with `:onerror` or `on-error=`. */
export class RouterError extends Error {
  readonly attributes: ReadonlyMap<string, Value>;
  constructor(message: string, attributes: ReadonlyMap<string, Value> = new Map()) {
    super(message);
    this.name = "RouterError";
    this.attributes = attributes;
  }
}

/** The script does not parse: a router runs none of it. */
export class SyntaxFault extends RouterError {
  constructor(message: string, line: number, column: number) {
    super(`${message} (line ${line} column ${column})`);
    this.name = "SyntaxFault";
  }
}

/**
 * The script leans on something that a router answers silently and wrongly (an undeclared
 * variable), or that nobody has established. No script can catch it: a test must see it.
 */
export class ScriptFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ScriptFault";
  }
}

export class ReturnSignal {
  readonly value: Value;
  constructor(value: Value) {
    this.value = value;
  }
}

export class LoopSignal {
  readonly what: "break" | "continue";
  constructor(what: "break" | "continue") {
    this.what = what;
  }
}

export class ExitSignal {}
