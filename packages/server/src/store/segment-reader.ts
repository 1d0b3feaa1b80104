import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { segmentPath } from "./segments.ts";

/** Whole lines and the offset behind them. */
export type Chunk = Readonly<{ lines: readonly string[]; end: number }>;

/** About 150 requests, so that folding one takes about a millisecond: on a busy core, requests wait for it. */
const chunkBytes = 96 * 1024;
const newline = 0x0a;

/** Reads segments in chunks of whole lines, keeping one file open. */
export class SegmentReader {
  readonly #directory: string;
  #fd = -1;
  #segment = -1;
  #buffer = Buffer.alloc(0);

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The segment's length in bytes; null when there is no such file. */
  size(segment: number): number | null {
    const fd = this.#descriptor(segment);
    return fd === null ? null : fstatSync(fd).size;
  }

  /**
   * Reads lines from `offset` up to `end`, at least one. In a sealed segment, what is left without a newline is
   * a line too (torn, most likely). Null when there is no such file.
   */
  read(segment: number, offset: number, end: number, sealed: boolean): Chunk | null {
    const fd = this.#descriptor(segment);
    if (fd === null) {
      return null;
    }
    for (let wanted = chunkBytes; ; wanted *= 4) {
      const length = this.#fill(fd, offset, Math.min(wanted, end - offset));
      const last = this.#buffer.lastIndexOf(newline, length - 1);
      if (last >= 0 && length > 0) {
        return this.#lines(offset, last, last + 1);
      }
      if (length < wanted) {
        // All there is, without a newline. An unsealed end always stands behind one, so this is a torn tail
        // or a file cut short by somebody.
        return sealed || length === 0
          ? this.#lines(offset, length, end - offset)
          : this.#lines(offset, 0, end - offset);
      }
    }
  }

  close(): void {
    if (this.#fd >= 0) {
      closeSync(this.#fd);
    }
    this.#fd = -1;
    this.#segment = -1;
  }

  #lines(offset: number, textLength: number, taken: number): Chunk {
    const lines = this.#buffer.toString("utf8", 0, textLength).split("\n");
    return { lines, end: offset + taken };
  }

  #fill(fd: number, offset: number, length: number): number {
    if (this.#buffer.length < length) {
      this.#buffer = Buffer.allocUnsafeSlow(length);
    }
    let filled = 0;
    while (filled < length) {
      const read = readSync(fd, this.#buffer, filled, length - filled, offset + filled);
      if (read === 0) {
        break;
      }
      filled += read;
    }
    return filled;
  }

  #descriptor(segment: number): number | null {
    if (segment === this.#segment) {
      return this.#fd;
    }
    this.close();
    try {
      this.#fd = openSync(segmentPath(this.#directory, segment), "r");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") {
        return null;
      }
      throw error;
    }
    this.#segment = segment;
    return this.#fd;
  }
}
