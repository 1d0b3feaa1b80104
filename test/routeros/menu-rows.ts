import { RouterError } from "./faults.ts";
import type { MenuTable } from "./menu-tables.ts";
import { keyedArray, nothing, str, toText, type Value } from "./values.ts";

export type Row = { readonly id: string; readonly values: Map<string, Value> };

/** The rows of one menu. Ids count up and are never used again. */
export class MenuRows {
  readonly table: MenuTable;
  readonly #rows: Row[] = [];
  #lastId = 0;

  constructor(table: MenuTable) {
    this.table = table;
    if (table.single === true) {
      this.add(new Map());
    }
  }

  get all(): readonly Row[] {
    return this.#rows;
  }

  /** Every property of the menu, settable or not. */
  get properties(): string[] {
    return [
      ...this.table.properties.map((property) => property.replace('{"}', "")),
      ...(this.table.readOnly ?? []),
    ];
  }

  add(values: Map<string, Value>): Row {
    const name = values.get("name");
    if (name !== undefined && this.named(toText(name)) !== undefined) {
      throw new RouterError("failure: already have such name");
    }
    this.#lastId++;
    const row = { id: `*${this.#lastId.toString(16).toUpperCase()}`, values };
    this.#rows.push(row);
    return row;
  }

  remove(row: Row): void {
    const index = this.#rows.indexOf(row);
    if (index >= 0) {
      this.#rows.splice(index, 1);
    }
  }

  clear(): void {
    this.#rows.length = 0;
  }

  named(name: string): Row | undefined {
    return this.#rows.find((row) => toText(row.values.get("name") ?? nothing) === name);
  }

  /** The only row of a menu like `/system identity`. */
  get single(): Row {
    const [row] = this.#rows;
    if (row === undefined) {
      throw new Error(`${this.table.path} has no row`);
    }
    return row;
  }

  /**
   * The rows an id, a list of ids or a name leads to. The numbers that `print` shows lead
   * nowhere in a script, and an empty list is no error.
   */
  pick(reference: Value): Row[] {
    if (reference.kind === "array") {
      return reference.items.flatMap((item) => this.pick(item));
    }
    const text = toText(reference);
    const found = this.#rows.find((row) => row.id === text) ?? this.named(text);
    if (found === undefined) {
      throw new RouterError("no such item");
    }
    return [found];
  }

  /** One property, or all of them as an array. */
  read(row: Row, property: string | undefined): Value {
    if (property === undefined) {
      return keyedArray([[".id", str(row.id)], ...row.values]);
    }
    if (!this.properties.includes(property)) {
      throw new RouterError("input does not match any value of value-name");
    }
    return row.values.get(property) ?? nothing;
  }
}
