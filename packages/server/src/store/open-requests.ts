import { type JournalLine, parseLine } from "./journal-line.ts";

export type OpenRequest = {
  readonly intent: JournalLine;
  progress: JournalLine | null;
  /** Whether `open_requests` has it, as it is now. */
  carried: "no" | "stale" | "yes";
};

/** A row of `open_requests`. */
export type CarriedRequest = Readonly<{ intent: string; progress: string | null }>;

/** Requests whose outcome is not folded yet: in memory, and in `open_requests` once their segment goes. */
export class OpenRequests {
  readonly #byId = new Map<string, OpenRequest>();

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

  /** Takes over what `open_requests` has. */
  load(rows: readonly CarriedRequest[]): void {
    for (const row of rows) {
      const intent = parseLine(row.intent);
      if (intent === null) {
        continue;
      }
      const progress = row.progress === null ? null : parseLine(row.progress);
      this.#byId.set(intent[1], { intent, progress, carried: "yes" });
    }
  }

  /** Those that `open_requests` does not have as they are now. */
  toCarry(): OpenRequest[] {
    return [...this.#byId.values()].filter((request) => request.carried !== "yes");
  }

  /** To be told once they are written down. */
  carried(requests: readonly OpenRequest[]): void {
    for (const request of requests) {
      request.carried = "yes";
    }
  }

  /** Of these, the ones that were written down. */
  writtenDown(ids: readonly string[]): string[] {
    return ids.filter((id) => (this.#byId.get(id)?.carried ?? "no") !== "no");
  }
}
