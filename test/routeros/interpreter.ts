import { ReturnSignal, RouterError, ScriptFault } from "./faults.ts";
import type { Grammar } from "./grammar.ts";
import { binary, unary } from "./operators.ts";
import { parseScript } from "./parser.ts";
import { type Arguments, Scope } from "./scope.ts";
import type { Steps } from "./steps.ts";
import type { Argument, Block, Condition, Entry, Expression, Statement } from "./syntax.ts";
import { keyedArray, nothing, str, toText, type Value } from "./values.ts";
import { atLeast } from "./version.ts";

type Command = Extract<Statement, { type: "command" }>;

/** One command being run: its parameters are evaluated when its handler asks for them. */
export type Call = {
  readonly name: string;
  readonly scope: Scope;
  readonly interpreter: Interpreter;
  readonly flags: ReadonlySet<string>;
  readonly where: readonly (readonly Condition[])[];
  /** Names of the parameters given. */
  readonly given: readonly string[];
  has(parameter: string): boolean;
  expression(parameter: string): Expression | undefined;
  value(parameter: string): Steps<Value>;
  text(parameter: string): Steps<string>;
  block(parameter: string): Block | undefined;
};

export type Handler = (call: Call) => Steps<Value> | Value;

/** A script that loops for ever must not hang the test that runs it. */
const mostCommands = 20_000_000;

/** Runs parsed scripts: expressions, calls and blocks. Commands are the handlers'. */
export class Interpreter {
  readonly grammar: Grammar;
  readonly globals = new Map<string, Value>();
  readonly #handlers: ReadonlyMap<string, Handler>;
  #commands = 0;

  constructor(grammar: Grammar, handlers: ReadonlyMap<string, Handler>) {
    this.grammar = grammar;
    this.#handlers = handlers;
  }

  /** Parses and runs a script with fresh locals; gives what it `:return`s. */
  *run(source: string): Steps<Value> {
    return yield* this.runAlone(parseScript(source, this.grammar));
  }

  /** Runs a block that sees nothing of its surroundings but its arguments. */
  *runAlone(block: Block, given?: Arguments, definedIn?: Scope): Steps<Value> {
    const scope = new Scope(this.globals, {
      ...(given === undefined ? {} : { arguments: given }),
      ...(definedIn === undefined ? {} : { definedIn }),
    });
    try {
      yield* this.runBlock(block, scope);
      return nothing;
    } catch (thrown) {
      if (thrown instanceof ReturnSignal) {
        return thrown.value;
      }
      throw thrown;
    }
  }

  /** Runs statements in `scope`; gives the last one's value. */
  *runBlock(block: Block, scope: Scope): Steps<Value> {
    let last = nothing;
    for (const statement of block.statements) {
      last = yield* this.#statement(statement, scope);
    }
    return last;
  }

  *#statement(statement: Statement, scope: Scope): Steps<Value> {
    switch (statement.type) {
      case "command":
        return yield* this.#command(statement, scope);
      case "call":
        return yield* this.#call(statement.target, statement.arguments, scope);
      case "scope":
        return yield* this.runBlock(statement.block, scope.child());
      case "menu":
        return nothing;
    }
  }

  *#command(command: Command, scope: Scope): Steps<Value> {
    const handler = this.#handlers.get(command.name);
    this.#commands++;
    if (this.#commands > mostCommands) {
      throw new ScriptFault("the script does not end");
    }
    if (handler === undefined) {
      throw new ScriptFault(`${command.name} is not implemented in this interpreter`);
    }
    try {
      if (command.unknown !== undefined) {
        throw new RouterError(`unknown parameter ${command.unknown}`);
      }
      const answer = handler(this.#makeCall(command, scope));
      return "kind" in answer ? answer : yield* answer;
    } catch (thrown) {
      if (this.#placesErrorsOf(command.name) && thrown instanceof RouterError) {
        const where = `${command.name.replaceAll(" ", "/")}; line ${command.line}`;
        const known = thrown.message.endsWith(")")
          ? thrown.message
          : `${thrown.message} (${where})`;
        throw new RouterError(known, thrown.attributes);
      }
      throw thrown;
    }
  }

  /** Menu commands say where they failed; `:error` only where that was seen, on 7.21. */
  #placesErrorsOf(name: string): boolean {
    return name === ":error" ? atLeast(this.grammar.version, "7.21") : name.startsWith("/");
  }

  #makeCall(command: Command, scope: Scope): Call {
    const { parameters } = command;
    return {
      name: command.name,
      scope,
      interpreter: this,
      flags: command.flags,
      where: command.where,
      given: [...parameters.keys()],
      has: (parameter) => parameters.has(parameter),
      expression: (parameter) => parameters.get(parameter),
      value: (parameter) => this.#parameter(parameters.get(parameter), scope),
      text: (parameter) => asText(this.#parameter(parameters.get(parameter), scope)),
      block: (parameter) => {
        const expression = parameters.get(parameter);
        return expression?.type === "block" ? expression.block : undefined;
      },
    };
  }

  *#parameter(expression: Expression | undefined, scope: Scope): Steps<Value> {
    return expression === undefined ? nothing : yield* this.evaluate(expression, scope);
  }

  *#call(target: Expression, given: readonly Argument[], scope: Scope): Steps<Value> {
    const callee = yield* this.evaluate(target, scope);
    const isFunction = callee.kind === "function" || callee.kind === "code";
    if (target.type === "command" && given.length === 0 && !isFunction) {
      // `[$f]` as a statement has called already; what it gave is let go.
      return callee;
    }
    const positional: Value[] = [];
    const named = new Map<string, Value>();
    for (const { name, value } of given) {
      // A bare word arrives as a string, even one of digits.
      const argument = value.type === "word" ? str(value.text) : yield* this.evaluate(value, scope);
      if (name === undefined) {
        positional.push(argument);
      } else {
        named.set(name, argument);
      }
    }
    return yield* this.invoke(callee, { positional, named }, describe(target));
  }

  /** Calls a function value; `name` is for the message when it is none. */
  *invoke(callee: Value, given: Arguments, name: string): Steps<Value> {
    switch (callee.kind) {
      case "function":
        return yield* this.runAlone(callee.body, given, callee.definedIn);
      case "code":
        return yield* this.runAlone(callee.body, given);
      default:
        throw new ScriptFault(`${name} is called but is ${callee.kind}, not a function`);
    }
  }

  *evaluate(expression: Expression, scope: Scope): Steps<Value> {
    switch (expression.type) {
      case "literal":
      case "word":
        return expression.value;
      case "variable":
        return scope.get(expression.name);
      case "template":
        return yield* this.#template(expression.parts, scope);
      case "array":
        return yield* this.#array(expression.entries, scope);
      case "block":
        return { kind: "function", body: expression.block, definedIn: scope };
      case "command":
        return yield* this.#bracket(expression.block, scope);
      case "unary":
        return unary(expression.operator, yield* this.evaluate(expression.operand, scope));
      case "binary": {
        const left = yield* this.evaluate(expression.left, scope);
        return binary(expression.operator, left, yield* this.evaluate(expression.right, scope));
      }
    }
  }

  /** A `:return` inside `[…]` (`[:if (…) do={:return 1}]`) is the value of the brackets. */
  *#bracket(block: Block, scope: Scope): Steps<Value> {
    try {
      return yield* this.runBlock(block, scope.child());
    } catch (thrown) {
      if (thrown instanceof ReturnSignal) {
        return thrown.value;
      }
      throw thrown;
    }
  }

  *#template(parts: readonly (string | Expression)[], scope: Scope): Steps<Value> {
    let text = "";
    for (const part of parts) {
      text += typeof part === "string" ? part : toText(yield* this.evaluate(part, scope));
    }
    return str(text);
  }

  *#array(entries: readonly Entry[], scope: Scope): Steps<Value> {
    const items: Value[] = [];
    const keyed = new Map<string, Value>();
    for (const { key, lost, value } of entries) {
      const evaluated = yield* this.evaluate(value, scope);
      if (key === undefined) {
        items.push(evaluated);
      } else if (lost !== true) {
        keyed.set(toText(yield* this.evaluate(key, scope)), evaluated);
      }
    }
    return keyedArray(keyed, items);
  }
}

function describe(target: Expression): string {
  return target.type === "variable" ? `$${target.name}` : "what is called";
}

function* asText(steps: Steps<Value>): Steps<string> {
  return toText(yield* steps);
}
