/**
 * The load generator: raw keep-alive sockets and requests built beforehand.
 *
 * - closedLoop: so many callers, each asking again as soon as it is answered (throughput, CPU).
 * - openLoop: requests at a given average rate, whether or not earlier ones were answered (latency).
 */

import { ClientConnection } from "./client-connection.ts";

/** A server to load and the bytes of one request to it. */
export type Aim = { readonly port: number; readonly request: Buffer };

/** Beyond what was asked for, a phase may take this long before it counts as hung. */
export const PATIENCE_MS = 15_000;

/** Open-loop requests wait for a free connection beyond this many. */
const MAX_OPEN_CONNECTIONS = 256;

/** While connections are still being opened, behind the server too, latencies are not kept. */
const SETTLING_SHARE = 0.25;

/** Asks for `ms`, with `concurrency` callers; gives the answers counted and the time they took. */
export async function closedLoop(
  aim: Aim,
  settings: { concurrency: number; ms: number },
): Promise<{ requests: number; ms: number }> {
  const connections = await openConnections(aim.port, settings.concurrency);
  const startedAt = performance.now();
  const deadline = startedAt + settings.ms;
  let requests = 0;
  const caller = (connection: ClientConnection): Promise<void> =>
    new Promise((resolve, reject) => {
      const again = (error: Error | null): void => {
        if (!error) {
          requests += 1;
        }
        if (error) {
          reject(error);
        } else if (performance.now() >= deadline) {
          resolve();
        } else {
          connection.send(aim.request, again);
        }
      };
      connection.send(aim.request, again);
    });
  try {
    await within(settings.ms + PATIENCE_MS, Promise.all(connections.map(caller)));
    return { requests, ms: performance.now() - startedAt };
  } finally {
    for (const connection of connections) {
      connection.close();
    }
  }
}

/**
 * Asks `perSecond` times a second on average, at moments drawn from `random` (a Poisson process),
 * for `ms`. Gives the latencies in ms, each counted from the moment the request was due.
 */
export async function openLoop(
  aim: Aim,
  settings: { perSecond: number; ms: number; random: () => number },
): Promise<number[]> {
  const pool = new ConnectionPool(aim.port, await openConnections(aim.port, 32));
  const latencies: number[] = [];
  const startedAt = performance.now();
  const settledAt = startedAt + settings.ms * SETTLING_SHARE;
  let due = startedAt + nextGap(settings);
  let outstanding = 0;
  const finished = new Promise<void>((resolve, reject) => {
    const isOver = (): boolean => due - startedAt > settings.ms;
    const ask = (dueAt: number): void => {
      outstanding += 1;
      pool.send(aim.request, (error) => {
        if (error) {
          reject(error);
        } else if (dueAt >= settledAt) {
          latencies.push(performance.now() - dueAt);
        }
        outstanding -= 1;
        if (isOver() && outstanding === 0) {
          resolve();
        }
      });
    };
    // Polled without sleeping: a timer's millisecond would hide what is measured.
    const poll = (): void => {
      const now = performance.now();
      for (; due <= now && !isOver(); due += nextGap(settings)) {
        ask(due);
      }
      if (!isOver()) {
        setImmediate(poll);
      } else if (outstanding === 0) {
        resolve();
      }
    };
    poll();
  });
  try {
    await within(settings.ms + PATIENCE_MS, finished);
    return latencies;
  } finally {
    due = Number.POSITIVE_INFINITY;
    pool.close();
  }
}

/** The time to the next arrival of a Poisson process, in ms. */
function nextGap({ perSecond, random }: { perSecond: number; random: () => number }): number {
  return (-Math.log(1 - random()) * 1000) / perSecond;
}

type Done = (error: Error | null) => void;

/** Hands requests to free connections, opening more up to a bound; the rest wait their turn. */
class ConnectionPool {
  readonly #port: number;
  readonly #free: ClientConnection[];
  readonly #all: Set<ClientConnection>;
  readonly #waiting: { request: Buffer; done: Done }[] = [];

  constructor(port: number, connections: ClientConnection[]) {
    this.#port = port;
    this.#free = connections;
    this.#all = new Set(connections);
  }

  send(request: Buffer, done: Done): void {
    const connection = this.#free.pop() ?? this.#open();
    if (connection) {
      this.#use(connection, request, done);
    } else {
      this.#waiting.push({ request, done });
    }
  }

  close(): void {
    for (const connection of this.#all) {
      connection.close();
    }
  }

  #open(): ClientConnection | null {
    if (this.#all.size >= MAX_OPEN_CONNECTIONS) {
      return null;
    }
    const connection = new ClientConnection(this.#port);
    this.#all.add(connection);
    return connection;
  }

  #use(connection: ClientConnection, request: Buffer, done: Done): void {
    connection.send(request, (error) => {
      const next = error ? undefined : this.#waiting.shift();
      if (next) {
        this.#use(connection, next.request, next.done);
      } else if (!error) {
        this.#free.push(connection);
      }
      done(error);
    });
  }
}

/** Opens `count` connections to a port on this machine. */
export async function openConnections(port: number, count: number): Promise<ClientConnection[]> {
  const connections = Array.from({ length: count }, () => new ClientConnection(port));
  await within(PATIENCE_MS, Promise.all(connections.map((connection) => connection.opened)));
  return connections;
}

/** The promise's value, or an error if it takes longer than `ms`. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not finished after ${Math.round(ms)} ms`)), ms);
  });
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
