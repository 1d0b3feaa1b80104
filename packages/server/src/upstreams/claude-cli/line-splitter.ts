const newline = 0x0a;

/** Cuts a byte stream into lines, holding at most one unfinished line of bounded length. */
export class LineSplitter {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #held = 0;

  /** @param maxBytes of one line */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @returns false when a line grew too long: nothing after it can be trusted */
  push(chunk: Buffer, onLine: (line: string) => void): boolean {
    let from = 0;
    for (let to = chunk.indexOf(newline); to >= 0; to = chunk.indexOf(newline, from)) {
      if (this.#held + to - from > this.#maxBytes) {
        return false;
      }
      onLine(this.#take(chunk.subarray(from, to)));
      from = to + 1;
    }
    if (from < chunk.length) {
      this.#parts.push(chunk.subarray(from));
      this.#held += chunk.length - from;
    }
    return this.#held <= this.#maxBytes;
  }

  #take(last: Buffer): string {
    if (this.#held === 0) {
      return last.toString();
    }
    const line = Buffer.concat([...this.#parts, last]).toString();
    this.#parts = [];
    this.#held = 0;
    return line;
  }
}
