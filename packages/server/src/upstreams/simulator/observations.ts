import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Usage } from "./wire.ts";

/** A request as it arrived; `path` with its query, `body` byte for byte. */
export type ReceivedRequest = Readonly<{
  requestId: string;
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}>;

/** What a request is billed at. `complete: false` when the answer broke off: the output said until then. */
export type Bill = Readonly<{ requestId: string; model: string; usage: Usage; complete: boolean }>;

export type Counters = Readonly<{
  /** Requests received whole, whatever came of them. */
  requests: number;
  /** Answers sent to their end, errors included. */
  answered: number;
  /** Answers the client did not wait for. */
  aborted: number;
  /** Answers the simulator itself broke off. */
  broken: number;
  /** Requests being answered now. */
  open: number;
  /** Of those, streams. */
  openStreams: number;
}>;

/** One request on its way: what routes tell the observer. */
export type Sighting = Readonly<{
  received(body: Buffer): void;
  streaming(): void;
  /** The simulator breaks the answer off itself. */
  breaking(): void;
  billed(model: string, usage: Usage, complete: boolean): void;
}>;

export type Observations = Readonly<{
  begin(request: IncomingMessage, response: ServerResponse, requestId: string): Sighting;
  log: readonly ReceivedRequest[];
  bills: ReadonlyMap<string, Bill>;
  counters(): Counters;
  until(condition: (counters: Counters) => boolean): Promise<void>;
  reset(): void;
}>;

const mostRecorded = 10_000;
const noneSeen = { requests: 0, answered: 0, aborted: 0, broken: 0 };

/**
 * @param record keep requests with their bodies, and bills; otherwise only count
 * @param onBill told of each bill, kept or not
 */
export const createObservations = (
  record: boolean,
  onBill: (model: string, usage: Usage) => void,
): Observations => {
  const log: ReceivedRequest[] = [];
  const bills = new Map<string, Bill>();
  const tally = createTally();

  const begin = (
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
  ): Sighting => {
    const exchange = tally.open(response);
    return {
      ...exchange,
      received: (body) => {
        if (record) {
          const { method = "", url = "", headers } = request;
          log.push({ requestId, method, path: url, headers, body });
          log.splice(0, log.length - mostRecorded);
        }
        exchange.received();
      },
      billed: (model, usage, complete) => {
        onBill(model, usage);
        if (record) {
          bills.set(requestId, { requestId, model, usage, complete });
        }
      },
    };
  };

  const reset = (): void => {
    tally.reset();
    log.length = 0;
    bills.clear();
  };

  return { begin, log, bills, counters: tally.counters, until: tally.until, reset };
};

/** Counts exchanges, and wakes whoever waits for a count. */
const createTally = () => {
  const waiting = new Set<() => void>();
  let seen = noneSeen;
  let all = 0;
  let streams = 0;

  const counters = (): Counters => ({ ...seen, open: all, openStreams: streams });
  const count = (what: keyof typeof noneSeen): void => {
    seen = { ...seen, [what]: seen[what] + 1 };
  };
  const changed = (): void => {
    for (const check of waiting) {
      check();
    }
  };

  const until = (condition: (counters: Counters) => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (condition(counters())) {
          waiting.delete(check);
          resolve();
        }
      };
      waiting.add(check);
      check();
    });

  const open = (response: ServerResponse) => {
    let isStream = false;
    let isBroken = false;
    all += 1;
    response.once("close", () => {
      all -= 1;
      streams -= isStream ? 1 : 0;
      count(isBroken ? "broken" : response.writableFinished ? "answered" : "aborted");
      changed();
    });
    return {
      received: (): void => {
        count("requests");
        changed();
      },
      streaming: (): void => {
        isStream = true;
        streams += 1;
        changed();
      },
      breaking: (): void => {
        isBroken = true;
      },
    };
  };

  const reset = (): void => {
    seen = noneSeen;
  };
  return { counters, until, open, reset };
};
