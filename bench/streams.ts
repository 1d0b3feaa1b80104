/** Many paced streams at once: what one forwarded event and one open stream cost a server. */

import { FRAME_EVENTS } from "./answers.ts";
import type { ClientConnection } from "./client-connection.ts";
import { type Aim, openConnections, PATIENCE_MS, within } from "./load.ts";

const NEWLINE = 0x0a;

/** Reads the server's use of the machine while it works. */
export type Probe = { readonly cpuMs: () => number; readonly rssKib: () => number };

export type StreamsResult = Readonly<{
  /** Events that reached the callers in the window in which every stream was open. */
  events: number;
  cpuMs: number;
  windowMs: number;
  rssBeforeKib: number;
  rssPeakKib: number;
}>;

/**
 * Opens `count` streams of `deltas` deltas and reads them to their ends. CPU and events are counted
 * from the moment the last stream has begun until the first one ends. Fails if a stream is short.
 */
export async function pacedStreams(
  aim: Aim,
  settings: { count: number; deltas: number; probe: Probe },
): Promise<StreamsResult> {
  const { count, deltas, probe } = settings;
  const rssBeforeKib = probe.rssKib();
  const connections = await openConnections(aim.port, count);
  const watch = new Window(count, probe);
  const expected = deltas + FRAME_EVENTS;
  const sampler = setInterval(() => watch.sampleMemory(), 100);
  try {
    const streams = connections.map((connection) => readStream(connection, aim, watch, expected));
    await within(deltas * 50 + 2 * PATIENCE_MS, Promise.all(streams));
    return { ...watch.result(), rssBeforeKib };
  } finally {
    clearInterval(sampler);
    for (const connection of connections) {
      connection.close();
    }
  }
}

async function readStream(
  connection: ClientConnection,
  aim: Aim,
  watch: Window,
  expected: number,
): Promise<void> {
  let events = 0;
  let lastByte = 0;
  connection.onData = (data) => {
    const arrived = countEvents(data, lastByte);
    lastByte = data[data.length - 1] ?? 0;
    if (events === 0 && arrived > 0) {
      watch.began();
    }
    events += arrived;
    watch.count(arrived);
  };
  await new Promise<void>((resolve, reject) => {
    connection.send(aim.request, (error) => (error ? reject(error) : resolve()));
  });
  watch.ended();
  if (events !== expected) {
    throw new Error(`${events} events arrived instead of ${expected}`);
  }
}

/** An event ends with an empty line, whose two newlines may come in two packets. */
function countEvents(data: Buffer, lastByte: number): number {
  let events = lastByte === NEWLINE && data[0] === NEWLINE ? 1 : 0;
  for (let at = data.indexOf("\n\n"); at >= 0; at = data.indexOf("\n\n", at + 2)) {
    events += 1;
  }
  return events;
}

/** The time in which all streams are open. */
class Window {
  readonly #probe: Probe;
  #waitingFor: number;
  #open: { cpuMs: number; at: number } | null = null;
  #closed: { cpuMs: number; windowMs: number } | null = null;
  #events = 0;
  #rssPeakKib = 0;

  constructor(streams: number, probe: Probe) {
    this.#waitingFor = streams;
    this.#probe = probe;
  }

  began(): void {
    this.#waitingFor -= 1;
    if (this.#waitingFor === 0 && !this.#closed) {
      this.#open = { cpuMs: this.#probe.cpuMs(), at: performance.now() };
    }
  }

  count(events: number): void {
    if (this.#open && !this.#closed) {
      this.#events += events;
    }
  }

  ended(): void {
    if (this.#closed || !this.#open) {
      return;
    }
    this.#closed = {
      cpuMs: this.#probe.cpuMs() - this.#open.cpuMs,
      windowMs: performance.now() - this.#open.at,
    };
  }

  sampleMemory(): void {
    this.#rssPeakKib = Math.max(this.#rssPeakKib, this.#probe.rssKib());
  }

  result() {
    if (!this.#closed || this.#events === 0) {
      throw new Error("the streams were never all open");
    }
    return { ...this.#closed, events: this.#events, rssPeakKib: this.#rssPeakKib };
  }
}
