import type { Position } from "./segments.ts";

/** How much of the journal waits to be folded. Bytes are counted since the start, over all segments. */
export class Spool {
  /** Bytes before the current segment. */
  #base = 0;
  #folded = 0;
  readonly #bases = new Map<number, number>();

  constructor(firstSegment: number) {
    this.#bases.set(firstSegment, 0);
  }

  /** Bytes not folded yet, when the current segment is `offset` bytes long. */
  unfolded(offset: number): number {
    return this.#base + offset - this.#folded;
  }

  /** Everything before `position` is folded. */
  foldedTo({ segment, offset }: Position): void {
    const base = this.#bases.get(segment);
    if (base === undefined) {
      return;
    }
    this.#folded = Math.max(this.#folded, base + offset);
    for (const earlier of this.#bases.keys()) {
      if (earlier < segment) {
        this.#bases.delete(earlier);
      }
    }
  }

  /** The segment that ended at `end` is followed by the next one. */
  rotated(end: Position): void {
    this.#base += end.offset;
    this.#bases.set(end.segment + 1, this.#base);
  }
}
