import type { Statement } from "better-sqlite3";
import type { SqliteDatabase } from "./database.ts";
import { ledgerColumns } from "./ledger-row.ts";
import type { RequestsTable } from "./schema.ts";

/** What most rows have in a column: written into the statement itself. Only constants of our own. */
const usual: Readonly<Partial<Record<keyof RequestsTable, string | number | null>>> = {
  operation: "messages",
  caller_kind: "device",
  user_id: null,
  organization_id: null,
  session_id: null,
  stream: 1,
  status: 200,
  accuracy: "measured",
  ending: "complete",
  price_flag: null,
  error_type: null,
  cache_read_input_tokens: 0,
  cache_creation_5m_input_tokens: 0,
  cache_creation_1h_input_tokens: 0,
  web_search_requests: 0,
  web_fetch_requests: 0,
  service_tier: "standard",
  speed: null,
  inference_geo: "not_available",
  iterations: null,
};

const usualValues: readonly unknown[] = ledgerColumns.map((column) => usual[column]);

/** Far more than a relay sees; a bound, so that odd rows cannot fill the memory with statements. */
const mostShapes = 64;

/**
 * Inserts ledger rows; a row that is there already stays as it is. Handing a value to SQLite costs more than
 * storing it, so values as most rows have them stand in the statement, and there is one statement for each
 * set of columns in which rows differ.
 */
export class LedgerInsert {
  readonly #db: SqliteDatabase;
  readonly #byShape = new Map<number, Statement<unknown[]>>();
  readonly #plain: Statement<unknown[]>;

  constructor(db: SqliteDatabase) {
    this.#db = db;
    this.#plain = db.prepare(insertSql(ledgerColumns.map(() => false)));
  }

  /** Values for `ledgerColumns`. @throws SqliteError, or TypeError and RangeError for values SQLite cannot hold */
  run(row: readonly unknown[]): void {
    const unusual: unknown[] = [];
    // One bit a column: 35 of the 53 that a number holds exactly.
    let shape = 0;
    for (let index = 0; index < row.length; index++) {
      const isUsual = row[index] === usualValues[index];
      shape = shape * 2 + (isUsual ? 1 : 0);
      if (!isUsual) {
        unusual.push(row[index]);
      }
    }
    const statement = this.#byShape.get(shape) ?? this.#prepare(row, shape);
    statement.run(...(statement === this.#plain ? row : unusual));
  }

  #prepare(row: readonly unknown[], shape: number): Statement<unknown[]> {
    if (row.length !== ledgerColumns.length || this.#byShape.size >= mostShapes) {
      return this.#plain;
    }
    const isUsual = row.map((value, index) => value === usualValues[index]);
    const statement = this.#db.prepare<unknown[]>(insertSql(isUsual));
    this.#byShape.set(shape, statement);
    return statement;
  }
}

/** Columns in which the row is as usual get their value here, the others a parameter each. */
const insertSql = (isUsual: readonly boolean[]): string => {
  const values = ledgerColumns.map((column, index) =>
    isUsual[index] ? literal(usual[column] ?? null) : "?",
  );
  return `INSERT INTO requests (${ledgerColumns}) VALUES (${values}) ON CONFLICT (id) DO NOTHING`;
};

const literal = (value: string | number | null): string =>
  typeof value === "string" ? `'${value}'` : String(value);
