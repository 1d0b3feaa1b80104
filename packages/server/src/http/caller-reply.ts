import type { ServerResponse } from "node:http";
import type { CallerReply } from "../pipeline/types.ts";

/** Beyond this, turning bytes into a string costs more than it saves. */
const oneWrite = 8 * 1024;

/** A bare Node response as the line's CallerReply. /!\ Hot path: no listener more than needed. */
export class SocketReply implements CallerReply {
  readonly #res: ServerResponse;
  left = false;
  #onLeave: (() => void) | null = null;
  #onDrain: (() => void) | null = null;
  /** The head has gone out, alone or with the first bytes. */
  #begun = false;

  constructor(res: ServerResponse) {
    this.#res = res;
    this.left = res.destroyed;
    res.on("close", this.#closed);
  }

  start(status: number, headers: string[]): void {
    this.#res.writeHead(status, headers);
    // Node keeps the head for the first write. Bytes that came with it follow in this same turn;
    // without any, a caller must not wait for the head until upstream has its first word.
    process.nextTick(this.#flushHead);
  }

  write(chunk: Buffer): boolean {
    this.#begun = true;
    const ready = this.#res.write(chunk);
    if (!ready) {
      this.#res.once("drain", this.#drained);
    }
    return ready;
  }

  end(lastChunk: Buffer | null): void {
    this.#begun = true;
    if (lastChunk === null) {
      this.#res.end();
    } else if (lastChunk.length <= oneWrite) {
      // As a string of the same bytes it goes out with the headers in one plain write.
      this.#res.end(lastChunk.toString("latin1"), "latin1");
    } else {
      this.#res.end(lastChunk);
    }
  }

  breakOff(lastChunk: Buffer | null): void {
    this.#begun = true;
    const res = this.#res;
    if (lastChunk === null) {
      res.destroy();
    } else {
      // Closed without HTTP's own end mark, once the last words are out.
      res.write(lastChunk, () => res.destroy());
    }
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  onLeave(listener: () => void): void {
    this.#onLeave = listener;
    if (this.left) {
      listener();
    }
  }

  readonly #flushHead = (): void => {
    if (!this.#begun && !this.left) {
      this.#res.flushHeaders();
    }
  };

  readonly #drained = (): void => this.#onDrain?.();

  readonly #closed = (): void => {
    if (!this.#res.writableFinished) {
      this.left = true;
      this.#onLeave?.();
    }
  };
}
