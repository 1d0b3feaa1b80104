import { latin1 } from "../latin1.ts";

/** An event's data is kept up to here; upstream's counted events have a few hundred bytes. */
export const maxEventBytes = 1024 * 1024;

/** What a scanner tells of. */
export type SseReader = Readonly<{
  /** Whether this event's data must be kept whole. The name is null until an `event:` line is seen. */
  wants(name: string | null): boolean;
  /**
   * A line of data of an event that is not kept, passed on at once: it stands in `text`, a character for each
   * byte, from `start` up to `end`. `size` counts bytes not kept, too.
   */
  onLine(name: string | null, text: string, start: number, end: number, size: number): void;
  /** A wanted event; `data` is null when it was longer than `maxEventBytes`. */
  onEvent(name: string | null, data: string | null): void;
}>;

const lf = 0x0a;
const cr = 0x0d;
const space = 0x20;
const colon = 0x3a;

const eventHead = "event: ";
const dataHead = "data: ";
const longestName = 256;

/**
 * Splits a stream of server-sent events, however it is cut into chunks.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export class SseScanner {
  readonly #reader: SseReader;
  /** The unfinished line: its first bytes, at most `maxEventBytes`, and how long it is by now. */
  #line = Buffer.alloc(0);
  #lineSize = 0;
  #afterCr = false;
  #isFirstLine = true;
  #hasFields = false;
  #hasData = false;
  #name: string | null = null;
  #data = "";
  #dataSize = 0;

  constructor(reader: SseReader) {
    this.#reader = reader;
  }

  /** True when no event has begun: the start, after an event's blank line, and after comments there. */
  get atEventBoundary(): boolean {
    return !this.#hasFields && this.#lineSize === 0;
  }

  push(chunk: Buffer): void {
    const text = latin1(chunk);
    const firstCr = text.indexOf("\r");
    const plainEnd = firstCr < 0 ? text.length : firstCr;
    for (let at = 0; at < text.length; ) {
      at = this.#pushEvent(chunk, text, at, plainEnd) ?? this.#pushLine(chunk, at);
    }
  }

  /**
   * The hot path: a whole event in one chunk, spelt as upstream spells it. Searching a string takes a fraction
   * of what looking at the bytes one by one does.
   * @param text the chunk, a character for each byte; before `plainEnd` no CR is in it
   */
  #pushEvent(chunk: Buffer, text: string, at: number, plainEnd: number): number | null {
    if (this.#hasFields || this.#lineSize > 0 || this.#afterCr || !text.startsWith(eventHead, at)) {
      return null;
    }
    const nameEnd = text.indexOf("\n", at);
    const start = nameEnd + 1 + dataHead.length;
    if (nameEnd < 0 || nameEnd - at > longestName || !text.startsWith(dataHead, nameEnd + 1)) {
      return null;
    }
    const end = text.indexOf("\n", start);
    if (end < 0 || end - start >= maxEventBytes || end + 2 > plainEnd) {
      return null;
    }
    if (text.charCodeAt(end + 1) !== lf) {
      return null;
    }
    this.#isFirstLine = false;
    const name = text.slice(at + eventHead.length, nameEnd);
    if (this.#reader.wants(name)) {
      this.#reader.onEvent(name, chunk.toString("utf8", start, end));
    } else {
      this.#reader.onLine(name, text, start, end, end - start);
    }
    return end + 2;
  }

  #pushLine(chunk: Buffer, at: number): number {
    let start = at;
    if (this.#afterCr) {
      this.#afterCr = false;
      if (chunk[start] === lf) {
        return start + 1;
      }
    }
    const end = lineEnd(chunk, start);
    if (end === chunk.length) {
      this.#keepLine(chunk, start, end);
      return end;
    }
    this.#afterCr = chunk[end] === cr;
    if (this.#lineSize === 0) {
      if (this.#isFirstLine && hasBom(chunk, start, end)) {
        start += 3;
      }
      this.#readLine(chunk, start, end, end - start);
    } else {
      this.#keepLine(chunk, start, end);
      const kept = Math.min(this.#lineSize, maxEventBytes);
      const skipped = this.#isFirstLine && hasBom(this.#line, 0, kept) ? 3 : 0;
      const size = this.#lineSize - skipped;
      this.#lineSize = 0;
      this.#readLine(this.#line, skipped, kept, size);
      if (this.#line.length > 4096) {
        this.#line = Buffer.alloc(0);
      }
    }
    this.#isFirstLine = false;
    return end + 1;
  }

  #keepLine(chunk: Buffer, start: number, end: number): void {
    const kept = Math.min(this.#lineSize, maxEventBytes);
    const copied = Math.min(end - start, maxEventBytes - kept);
    if (kept + copied > this.#line.length) {
      const grown = Buffer.allocUnsafe(Math.max(256, 2 * (kept + copied)));
      this.#line.copy(grown, 0, 0, kept);
      this.#line = grown;
    }
    chunk.copy(this.#line, kept, start, start + copied);
    this.#lineSize += end - start;
  }

  /** One whole line without its end, of which `[start, end)` was kept. */
  #readLine(bytes: Buffer, start: number, end: number, size: number): void {
    if (size === 0) {
      this.#finishEvent();
      return;
    }
    if (bytes[start] === colon) {
      return;
    }
    this.#hasFields = true;
    const value = fieldValue(bytes, start, end, "data");
    if (value >= 0) {
      this.#readData(bytes, value, end, size - (value - start));
    } else {
      const name = fieldValue(bytes, start, end, "event");
      if (name >= 0) {
        this.#name = size > longestName ? "" : bytes.toString("latin1", name, end);
      }
    }
  }

  #readData(bytes: Buffer, start: number, end: number, size: number): void {
    this.#hasData = true;
    if (!this.#reader.wants(this.#name)) {
      const text = bytes.toString("latin1", start, end);
      this.#reader.onLine(this.#name, text, 0, text.length, size);
      return;
    }
    this.#dataSize += size + 1;
    if (this.#dataSize > maxEventBytes) {
      this.#data = "";
    } else if (this.#data === "") {
      this.#data = bytes.toString("utf8", start, end);
    } else {
      this.#data += `\n${bytes.toString("utf8", start, end)}`;
    }
  }

  #finishEvent(): void {
    if (this.#hasData) {
      this.#tell();
    }
    this.#hasFields = false;
    this.#hasData = false;
    this.#name = null;
    this.#data = "";
    this.#dataSize = 0;
  }

  #tell(): void {
    const isKept = this.#dataSize <= maxEventBytes;
    if (this.#reader.wants(this.#name)) {
      this.#reader.onEvent(this.#name, isKept ? this.#data : null);
    } else if (this.#dataSize > 0) {
      // The data came before the name: only now is it clear that nobody wants it whole.
      const text = Buffer.from(this.#data).toString("latin1");
      this.#reader.onLine(this.#name, text, 0, text.length, this.#dataSize - 1);
    }
  }
}

/** The index of the next line end, or the chunk's length. */
const lineEnd = (chunk: Buffer, start: number): number => {
  let i = start;
  while (i < chunk.length && chunk[i] !== lf && chunk[i] !== cr) {
    i++;
  }
  return i;
};

const hasBom = (bytes: Buffer, start: number, end: number): boolean =>
  end - start >= 3 &&
  bytes[start] === 0xef &&
  bytes[start + 1] === 0xbb &&
  bytes[start + 2] === 0xbf;

/** Where the value of the field begins if the line is of that field, else -1. */
const fieldValue = (bytes: Buffer, start: number, end: number, field: string): number => {
  const after = start + field.length;
  if (after > end) {
    return -1;
  }
  for (let i = 0; i < field.length; i++) {
    if (bytes[start + i] !== field.charCodeAt(i)) {
      return -1;
    }
  }
  if (after === end) {
    return end;
  }
  if (bytes[after] !== colon) {
    return -1;
  }
  return after + 1 < end && bytes[after + 1] === space ? after + 2 : after + 1;
};
