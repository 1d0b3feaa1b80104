/** Sends one event per interval to each of many streams, spread evenly over the interval. */

import type { Socket } from "node:net";

type Stream = { readonly socket: Socket; readonly closing: Buffer; left: number };

/** More than this unread in our buffers means that the server under test has stopped reading. */
const MAX_UNSENT_BYTES = 1024 * 1024;

export class Pacer {
  readonly #slots: Set<Stream>[];
  readonly #perEvent: Buffer;
  #next = 0;
  #done = 0;
  #startedAt = 0;
  #timer: NodeJS.Timeout | null = null;
  #streams = 0;

  /** Streams take turns in `intervalMs` slots of a millisecond each. */
  constructor(settings: { intervalMs: number; perEvent: Buffer }) {
    this.#slots = Array.from({ length: settings.intervalMs }, () => new Set<Stream>());
    this.#perEvent = settings.perEvent;
  }

  /** Sends `events` events to `socket`, one per interval, and then `closing`. */
  add(socket: Socket, events: number, closing: Buffer): void {
    this.#slot(this.#next++).add({ socket, closing, left: events });
    this.#streams += 1;
    if (this.#timer === null) {
      this.#startedAt = performance.now();
      this.#done = 0;
      this.#timer = setInterval(() => this.#catchUp(), 1);
    }
  }

  #slot(index: number): Set<Stream> {
    const slot = this.#slots[index % this.#slots.length];
    if (!slot) {
      throw new Error("a pacer needs at least one slot");
    }
    return slot;
  }

  /** Timers come late; the slots that are due by the clock are served, none twice. */
  #catchUp(): void {
    const due = Math.floor(performance.now() - this.#startedAt);
    while (this.#done < due) {
      this.#serve(this.#slot(this.#done++));
    }
    if (this.#streams === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }

  #serve(slot: Set<Stream>): void {
    for (const stream of slot) {
      if (stream.socket.destroyed) {
        this.#drop(slot, stream);
      } else if (stream.left === 0) {
        stream.socket.write(stream.closing);
        this.#drop(slot, stream);
      } else if (stream.socket.writableLength < MAX_UNSENT_BYTES) {
        stream.socket.write(this.#perEvent);
        stream.left -= 1;
      }
    }
  }

  #drop(slot: Set<Stream>, stream: Stream): void {
    slot.delete(stream);
    this.#streams -= 1;
  }
}
