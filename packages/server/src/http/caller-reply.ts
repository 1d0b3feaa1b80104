import type { ServerResponse } from "node:http";
import { latin1 } from "../pipeline/latin1.ts";
import type { CallerReply } from "../pipeline/types.ts";

/** Beyond this, turning bytes into a string costs more than it saves. */
const smallChunk = 8 * 1024;

/** How long the last words of a broken answer may take to reach the caller. */
const lastWordsMs = 1000;

const chunkEnd = "\r\n";
const lastChunkMark = "0\r\n\r\n";

const chunkHead = (length: number): string => length.toString(16) + chunkEnd;

/**
 * A bare Node response as the line's CallerReply. /!\ Hot path.
 *
 * It frames HTTP chunks (RFC 9112 §7.1) itself: Node would write each in four pieces, where one string
 * of the same bytes does. Small chunks of one turn of the event loop go out as one, at the turn's end;
 * nothing waits longer than that.
 */
export class SocketReply implements CallerReply {
  readonly #res: ServerResponse;
  left = false;
  #framed = false;
  /** Small chunks of this turn, a character for each byte, not framed yet. */
  #pending = "";
  /** The head has gone out, or goes with bytes that are on their way. */
  #begun = false;
  #onLeave: (() => void) | null = null;
  #onDrain: (() => void) | null = null;

  constructor(res: ServerResponse) {
    this.#res = res;
    this.left = res.destroyed;
    res.on("close", this.#closed);
  }

  start(status: number, headers: string[]): void {
    const res = this.#res;
    res.writeHead(status, headers);
    this.#framed = res.chunkedEncoding;
    res.chunkedEncoding = false;
    // Node keeps the head for the first write. Bytes that came with it follow in this same turn;
    // without any, a caller must not wait for the head until upstream has its first word.
    process.nextTick(this.#flushHead);
  }

  write(chunk: Buffer): boolean {
    // undici hands on an empty chunk after a pause; framed, it would be HTTP's end mark.
    if (chunk.length === 0) {
      return !this.#res.writableNeedDrain;
    }
    this.#begun = true;
    if (chunk.length > smallChunk) {
      this.#writeLarge(chunk);
    } else {
      if (this.#pending === "") {
        process.nextTick(this.#flush);
      }
      this.#pending += latin1(chunk);
    }
    return !this.#res.writableNeedDrain;
  }

  end(lastChunk: Buffer | null): void {
    this.#begun = true;
    if (lastChunk !== null && lastChunk.length > smallChunk) {
      this.#writeLarge(lastChunk);
    } else if (lastChunk !== null) {
      this.#pending += latin1(lastChunk);
    }
    const rest = this.#framed ? this.#takePending() + lastChunkMark : this.#takePending();
    if (rest === "") {
      this.#res.end();
    } else {
      this.#res.end(rest, "latin1");
    }
  }

  breakOff(lastChunk: Buffer | null): void {
    const res = this.#res;
    if (lastChunk === null) {
      res.destroy();
      return;
    }
    this.#pending += latin1(lastChunk);
    this.#begun = true;
    // Closed without HTTP's own end mark, once the last words are out; a caller that does not read
    // cannot keep the connection.
    const close = (): void => void res.destroy();
    res.write(this.#takePending(), "latin1", close);
    setTimeout(close, lastWordsMs).unref();
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

  /** What has gathered, as it goes out. Nothing must not be framed: it would be HTTP's end mark. */
  #takePending(): string {
    const text = this.#pending;
    this.#pending = "";
    return this.#framed && text !== "" ? chunkHead(text.length) + text + chunkEnd : text;
  }

  #writeLarge(chunk: Buffer): void {
    const res = this.#res;
    const before = this.#takePending();
    const head = this.#framed ? before + chunkHead(chunk.length) : before;
    res.cork();
    if (head !== "") {
      res.write(head, "latin1");
    }
    res.write(chunk);
    if (this.#framed) {
      res.write(chunkEnd, "latin1");
    }
    res.uncork();
    this.#waitIfFull();
  }

  readonly #flushHead = (): void => {
    if (!this.#begun && !this.left) {
      this.#res.flushHeaders();
    }
  };

  readonly #flush = (): void => {
    if (this.#pending !== "" && !this.left) {
      this.#res.write(this.#takePending(), "latin1");
      this.#waitIfFull();
    }
  };

  #waitIfFull(): void {
    const res = this.#res;
    if (res.writableNeedDrain && res.listenerCount("drain") === 0) {
      res.once("drain", this.#drained);
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
