import type { JournalFile } from "./journal-file.ts";
import type { JournalGroup } from "./journal-group.ts";

type Told = Readonly<{
  failed: (groups: readonly JournalGroup[], error: Error) => void;
  /** No fdatasync runs and none is waited for. */
  idle: () => void;
}>;

/** Makes written groups kept: one fdatasync at a time; the groups written meanwhile share the next one. */
export class GroupSync {
  readonly #file: JournalFile;
  readonly #told: Told;
  #waiting: JournalGroup[] = [];
  #busy = false;

  constructor(file: JournalFile, told: Told) {
    this.#file = file;
    this.#told = told;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Resolves the group's promise once its lines are on disk. */
  add(group: JournalGroup): void {
    this.#waiting.push(group);
    if (this.#busy) {
      return;
    }
    this.#busy = true;
    const groups = this.#waiting;
    this.#waiting = [];
    this.#file.sync((error) => {
      this.#busy = false;
      if (error) {
        this.#told.failed(groups.concat(this.#waiting.splice(0)), error);
      } else {
        for (const synced of groups) {
          synced.kept?.resolve();
        }
      }
      const next = this.#waiting.pop();
      if (next !== undefined) {
        this.add(next);
      } else {
        this.#told.idle();
      }
    });
  }
}
