import { ScriptFault } from "./faults.ts";
import { nothing, type Value } from "./values.ts";

/** The arguments a function was called with: `$1…` and named. */
export type Arguments = Readonly<{
  positional: readonly Value[];
  named: ReadonlyMap<string, Value>;
}>;

type Cell = { value: Value } | "global";

/**
 * The names one `{}` can see. Control-flow bodies are children; a function body starts anew and
 * sees neither its definer's locals nor any global it does not declare itself.
 */
export class Scope {
  readonly #cells = new Map<string, Cell>();
  readonly #globals: Map<string, Value>;
  readonly #parent: Scope | undefined;
  readonly #arguments: Arguments | undefined;
  /** Only to say that a name was meant: a function cannot see it. */
  readonly #definedIn: Scope | undefined;

  constructor(
    globals: Map<string, Value>,
    from: { parent?: Scope; arguments?: Arguments; definedIn?: Scope } = {},
  ) {
    this.#globals = globals;
    this.#parent = from.parent;
    this.#arguments = from.arguments ?? from.parent?.arguments;
    this.#definedIn = from.definedIn ?? from.parent?.definedIn;
  }

  get arguments(): Arguments | undefined {
    return this.#arguments;
  }

  get definedIn(): Scope | undefined {
    return this.#definedIn;
  }

  child(): Scope {
    return new Scope(this.#globals, { parent: this });
  }

  declareLocal(name: string, value: Value): void {
    this.#cells.set(name, { value });
  }

  declareGlobal(name: string): void {
    this.#cells.set(name, "global");
    if (!this.#globals.has(name)) {
      this.#globals.set(name, nothing);
    }
  }

  get(name: string): Value {
    const cell = this.#find(name);
    if (cell !== undefined) {
      return cell === "global" ? (this.#globals.get(name) ?? nothing) : cell.value;
    }
    return this.#argument(name) ?? this.#undeclared(name);
  }

  set(name: string, value: Value): void {
    const cell = this.#find(name);
    if (cell === undefined) {
      throw new ScriptFault(`:set ${name}: the variable is not declared here`);
    }
    if (cell === "global") {
      this.#globals.set(name, value);
    } else {
      cell.value = value;
    }
  }

  knows(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  #find(name: string): Cell | undefined {
    const own = this.#cells.get(name);
    return own !== undefined || this.#parent === undefined ? own : this.#parent.#find(name);
  }

  #argument(name: string): Value | undefined {
    const given = this.#arguments;
    if (given === undefined) {
      return undefined;
    }
    return /^\d+$/.test(name)
      ? (given.positional[Number(name) - 1] ?? nothing)
      : given.named.get(name);
  }

  /** A router reads nothing; where the name exists elsewhere that is surely a bug, so say so. */
  #undeclared(name: string): Value {
    if (this.#arguments === undefined) {
      throw new ScriptFault(`$${name}: the variable is not declared`);
    }
    if (this.#globals.has(name)) {
      throw new ScriptFault(
        `$${name}: the function does not declare this global (:global ${name})`,
      );
    }
    if (this.#definedIn?.knows(name)) {
      throw new ScriptFault(`$${name}: a function does not see a local of the script around it`);
    }
    return nothing;
  }
}
