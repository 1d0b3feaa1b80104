/** Bodies below this fit one read of the socket and are used as they come. */
const smallest = 64 * 1024;
/** What the pool may hold unused. */
const most = 64 * 1024 * 1024;

/**
 * Buffers for large request bodies, used again and again. Fresh ones of this size would make V8 collect
 * its whole heap every hundred requests, at several times the cost of everything else (measured).
 *
 * A buffer may come back only when upstream has answered in full: then whatever is still being written
 * from it can no longer be part of anybody's answer.
 */
export class BodyPool {
  readonly #free = new Map<number, Buffer[]>();
  #held = 0;

  /** A buffer of `length` bytes with old content, to be filled whole. */
  take(length: number): Buffer {
    if (length <= smallest) {
      return Buffer.allocUnsafe(length);
    }
    const size = sizeFor(length);
    const buffer = this.#free.get(size)?.pop();
    if (buffer === undefined) {
      return Buffer.allocUnsafeSlow(size).subarray(0, length);
    }
    this.#held -= size;
    return buffer.subarray(0, length);
  }

  /** Gives back what `take` gave; a buffer from elsewhere is let go. */
  giveBack(body: Buffer): void {
    if (body.length <= smallest) {
      return;
    }
    const size = body.buffer.byteLength;
    if (body.byteOffset !== 0 || size !== sizeFor(body.length)) {
      return;
    }
    if (this.#held + size > most) {
      return;
    }
    this.#held += size;
    const whole = Buffer.from(body.buffer, 0, size);
    const list = this.#free.get(size);
    if (list === undefined) {
      this.#free.set(size, [whole]);
    } else {
      list.push(whole);
    }
  }
}

const sizeFor = (length: number): number => 2 ** Math.ceil(Math.log2(length));
