import {
  closeSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  writeSync,
} from "node:fs";
import type { Position } from "./segments.ts";
import { segmentPath } from "./segments.ts";

/** The system calls the journal makes; tests put failing ones in their place. */
export type FileCalls = Readonly<{
  open(path: string): number;
  write(fd: number, bytes: Buffer, offset: number, length: number, position: number): number;
  truncate(fd: number, length: number): void;
  sync(fd: number, done: (error: Error | null) => void): void;
  syncDirectory(path: string): void;
  /** Whether no name leads to the file any more: it takes lines and keeps none. */
  isGone(fd: number): boolean;
  close(fd: number): void;
}>;

export const systemCalls: FileCalls = {
  // Not O_APPEND: a write after a torn one must land on top of it.
  open: (path) => openSync(path, "w", 0o600),
  write: writeSync,
  truncate: ftruncateSync,
  sync: fdatasync,
  syncDirectory: (path) => {
    const fd = openSync(path, "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  },
  isGone: (fd) => fstatSync(fd).nlink === 0,
  close: closeSync,
};

/** The journal's current segment. Everything before `position` is whole lines. */
export class JournalFile {
  readonly #directory: string;
  readonly #calls: FileCalls;
  readonly #syncs: boolean;
  #fd: number;
  #segment: number;
  #committed = 0;
  #torn = false;

  /** Opens a new segment. @throws the system's error when it cannot. */
  constructor(directory: string, segment: number, calls: FileCalls, syncs: boolean) {
    this.#directory = directory;
    this.#calls = calls;
    this.#syncs = syncs;
    this.#segment = segment;
    this.#fd = this.#openSegment(segment);
  }

  get position(): Position {
    return { segment: this.#segment, offset: this.#committed };
  }

  /** True when somebody removed the current segment. */
  get isGone(): boolean {
    return this.#calls.isGone(this.#fd);
  }

  get offset(): number {
    return this.#committed;
  }

  /**
   * Appends whole lines or, as far as a reader can tell, nothing.
   * @throws the system's error; the file is then as it was, and the next call tries afresh.
   */
  append(lines: string): void {
    if (this.#torn) {
      this.#truncate();
    }
    const bytes = Buffer.from(lines, "utf8");
    let done = 0;
    try {
      while (done < bytes.length) {
        const at = this.#committed + done;
        const written = this.#calls.write(this.#fd, bytes, done, bytes.length - done, at);
        if (written === 0) {
          throw new Error("the file system took no bytes");
        }
        done += written;
      }
    } catch (error) {
      if (done > 0) {
        this.#cutTornTail();
      }
      throw error;
    }
    this.#committed += done;
  }

  sync(done: (error: Error | null) => void): void {
    this.#calls.sync(this.#fd, done);
  }

  /** Goes on in the next segment. @throws the system's error; the current segment then stays in use. */
  rotate(): void {
    const next = this.#openSegment(this.#segment + 1);
    this.#calls.close(this.#fd);
    this.#fd = next;
    this.#segment += 1;
    this.#committed = 0;
    this.#torn = false;
  }

  close(): void {
    this.#calls.close(this.#fd);
  }

  #openSegment(segment: number): number {
    const fd = this.#calls.open(segmentPath(this.#directory, segment));
    try {
      if (this.#syncs) {
        this.#calls.syncDirectory(this.#directory);
      }
    } catch (error) {
      this.#calls.close(fd);
      throw error;
    }
    return fd;
  }

  #cutTornTail(): void {
    this.#torn = true;
    try {
      this.#truncate();
    } catch {
      // The next append tries again before it writes.
    }
  }

  #truncate(): void {
    this.#calls.truncate(this.#fd, this.#committed);
    this.#torn = false;
  }
}
