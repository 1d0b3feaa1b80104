import { CheckpointMoved, type FoldBatch, type FoldTables } from "../backend.ts";
import type { CarriedRequest } from "../open-requests.ts";
import { isBefore, type Position } from "../segments.ts";
import type { PostgresConnection } from "./connection.ts";
import { isValueFault } from "./errors.ts";
import { fitting } from "./fitting.ts";
import { keepBatch, keepRows, readCheckpoint, readOpen, withoutRow } from "./fold-sql.ts";

/** What folding needs, over a connection, for one instance. */
export const postgresFoldTables = (connection: PostgresConnection, instance: number): FoldTables =>
  new PostgresFoldTables(connection, instance);

type Rows = FoldBatch["rows"];

class PostgresFoldTables implements FoldTables {
  readonly #connection: PostgresConnection;
  readonly #instance: number;
  /** As far as this process ever tried to move the checkpoint, answered or not. */
  #furthest: Position = { segment: 0, offset: 0 };

  constructor(connection: PostgresConnection, instance: number) {
    this.#connection = connection;
    this.#instance = instance;
  }

  async checkpoint(): Promise<Position | null> {
    const { rows } = await this.#connection.query(readCheckpoint, [this.#instance]);
    return (rows as Position[])[0] ?? null;
  }

  async openRequests(): Promise<CarriedRequest[]> {
    const { rows } = await this.#connection.query(readOpen, [this.#instance]);
    return rows as CarriedRequest[];
  }

  async commit(batch: FoldBatch): Promise<number> {
    const unfit = await this.#countWithoutRow(batch.orphans);
    try {
      await this.#keep(batch);
      return unfit;
    } catch (error) {
      if (!isValueFault(error)) {
        throw error;
      }
    }
    // One row's value fits no column: the rows go first, as they can be made to fit. They may: they are told
    // apart by their ids, and only what is behind them must not be kept twice.
    const bad = await this.#keepFitting(batch.rows.map(fitting));
    await this.#keep({ ...batch, rows: [] });
    return unfit + bad;
  }

  /** A commit that was answered is on the disk: connection.ts sees to it. */
  sync(): void {}

  async #keep({ rows, audit, forget, carry, from, to }: FoldBatch): Promise<void> {
    this.#furthest = isBefore(this.#furthest, to) ? to : this.#furthest;
    const { rows: kept } = await this.#connection.query({
      name: "fold",
      text: keepBatch,
      values: [
        this.#instance,
        ...[to.segment, to.offset, from.segment, from.offset],
        JSON.stringify(rows),
        forget === "all" ? [] : forget,
        forget === "all",
        JSON.stringify(carry.map(({ intent, progress }) => carried(intent, progress))),
        JSON.stringify(audit),
      ],
    });
    if (kept.length === 0) {
      await this.#explain();
    }
  }

  async #explain(): Promise<never> {
    const at = await this.checkpoint();
    if (at !== null && isBefore(this.#furthest, at)) {
      throw new Error(
        `another relay folds as instance ${this.#instance}: was DATA_DIR copied? Stop both, delete instance.number from both folders, and start again`,
      );
    }
    throw new CheckpointMoved("the checkpoint is not where this process left it");
  }

  async #countWithoutRow(ids: readonly string[]): Promise<number> {
    if (ids.length === 0) {
      return 0;
    }
    const { rows } = await this.#connection.query(withoutRow, [ids]);
    return rows.length;
  }

  /** All at once; one by one when that fails. Gives how many fit nowhere. */
  async #keepFitting(rows: Rows): Promise<number> {
    try {
      await this.#connection.query(keepRows, [JSON.stringify(rows)]);
      return 0;
    } catch (error) {
      if (!isValueFault(error)) {
        throw error;
      }
      if (rows.length === 1) {
        return 1;
      }
    }
    const half = Math.ceil(rows.length / 2);
    return (
      (await this.#keepFitting(rows.slice(0, half))) + (await this.#keepFitting(rows.slice(half)))
    );
  }
}

const carried = (intent: readonly unknown[], progress: readonly unknown[] | null): unknown[] => [
  intent[1],
  JSON.stringify(intent),
  progress === null ? null : JSON.stringify(progress),
];
