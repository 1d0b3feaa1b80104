import type { Statement } from "better-sqlite3";
import type { SqliteDatabase } from "./database.ts";
import { type JournalLine, parseLine } from "./journal-line.ts";

export type OpenRequest = {
  readonly intent: JournalLine;
  progress: JournalLine | null;
  /** Whether `open_requests` has it, as it is now. */
  carried: "no" | "stale" | "yes";
};

/** Requests whose outcome is not folded yet: in memory, and in `open_requests` once their segment goes. */
export class OpenRequests {
  readonly #byId = new Map<string, OpenRequest>();
  readonly #upsert: Statement<[string, string, string | null]>;
  readonly #delete: Statement<[string]>;
  readonly #deleteAll: Statement<[]>;

  constructor(db: SqliteDatabase) {
    this.#upsert = db.prepare(
      "INSERT INTO open_requests (id, intent, progress) VALUES (?, ?, ?) " +
        "ON CONFLICT (id) DO UPDATE SET progress = excluded.progress",
    );
    this.#delete = db.prepare("DELETE FROM open_requests WHERE id = ?");
    this.#deleteAll = db.prepare("DELETE FROM open_requests");
    this.#load(db);
  }

  get(id: string): OpenRequest | undefined {
    return this.#byId.get(id);
  }

  all(): Iterable<OpenRequest> {
    return this.#byId.values();
  }

  add(intent: JournalLine): void {
    if (!this.#byId.has(intent[1])) {
      this.#byId.set(intent[1], { intent, progress: null, carried: "no" });
    }
  }

  mark(progress: JournalLine): void {
    const request = this.#byId.get(progress[1]);
    if (request === undefined) {
      return;
    }
    request.progress = progress;
    if (request.carried === "yes") {
      request.carried = "stale";
    }
  }

  remove(ids: readonly string[]): void {
    for (const id of ids) {
      this.#byId.delete(id);
    }
  }

  clear(): void {
    this.#byId.clear();
  }

  /** Those that `open_requests` does not have as they are now. */
  toCarry(): OpenRequest[] {
    return [...this.#byId.values()].filter((request) => request.carried !== "yes");
  }

  /** Writes them down. Inside the caller's transaction; call `carried` after its commit. */
  carry(requests: readonly OpenRequest[]): void {
    for (const { intent, progress } of requests) {
      const mark = progress === null ? null : JSON.stringify(progress);
      this.#upsert.run(intent[1], JSON.stringify(intent), mark);
    }
  }

  carried(requests: readonly OpenRequest[]): void {
    for (const request of requests) {
      request.carried = "yes";
    }
  }

  /** Deletes what was written down about these, or about all. Inside the caller's transaction. */
  forgetCarried(ids?: readonly string[]): void {
    if (ids === undefined) {
      this.#deleteAll.run();
    } else {
      for (const id of ids) {
        if (this.#isCarried(id)) {
          this.#delete.run(id);
        }
      }
    }
  }

  #isCarried(id: string): boolean {
    const request = this.#byId.get(id);
    return request !== undefined && request.carried !== "no";
  }

  #load(db: SqliteDatabase): void {
    const rows = db
      .prepare<[], { intent: string; progress: string | null }>(
        "SELECT intent, progress FROM open_requests",
      )
      .all();
    for (const row of rows) {
      const intent = parseLine(row.intent);
      if (intent === null) {
        continue;
      }
      const progress = row.progress === null ? null : parseLine(row.progress);
      this.#byId.set(intent[1], { intent, progress, carried: "yes" });
    }
  }
}
