import type { ServerResponse } from "node:http";
import type { CallerReply } from "../pipeline/types.ts";

/** A bare Node response as the line's CallerReply. /!\ Hot path: no listener more than needed. */
export class SocketReply implements CallerReply {
  readonly #res: ServerResponse;
  left = false;
  #onLeave: (() => void) | null = null;
  #onDrain: (() => void) | null = null;

  constructor(res: ServerResponse) {
    this.#res = res;
    this.left = res.destroyed;
    res.on("close", this.#closed);
  }

  start(status: number, headers: string[]): void {
    this.#res.writeHead(status, headers);
  }

  write(chunk: Buffer): boolean {
    const ready = this.#res.write(chunk);
    if (!ready) {
      this.#res.once("drain", this.#drained);
    }
    return ready;
  }

  end(lastChunk: Buffer | null): void {
    if (lastChunk === null) {
      this.#res.end();
    } else {
      this.#res.end(lastChunk);
    }
  }

  breakOff(lastChunk: Buffer | null): void {
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

  readonly #drained = (): void => this.#onDrain?.();

  readonly #closed = (): void => {
    if (!this.#res.writableFinished) {
      this.left = true;
      this.#onLeave?.();
    }
  };
}
