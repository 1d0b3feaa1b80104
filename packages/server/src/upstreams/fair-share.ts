import type { IncomingHttpHeaders } from "node:http";
import type { Later } from "../pipeline/later.ts";
import type { Log } from "../pipeline/log.ts";
import { isModelCall } from "../pipeline/operations.ts";
import type { Clock, Upstream, UpstreamRequest } from "../pipeline/types.ts";
import { SharePool } from "./fair-share/share-pool.ts";
import { SharedCall } from "./fair-share/shared-call.ts";
import { Supply } from "./fair-share/supply.ts";

type Options = Readonly<{
  /** How many API keys upstream is asked with. */
  keyCount: number;
  /** How long a call may wait for its turn, when upstream is scarce. */
  maxWaitMs: number;
  /** How many may wait at once, for one model. */
  maxWaiting: number;
  clock: Clock;
  later: Later;
  log: Log;
}>;

/** An upstream's answer to one of our keys, those included that no caller gets to see. */
export type Heard = (
  key: string,
  request: UpstreamRequest,
  status: number,
  headers: IncomingHttpHeaders,
) => void;

/** Models with callers of their own at a time. Anthropic has some dozens. */
const mostPools = 200;

/**
 * Shares what upstream gives among callers when it is less than they want, by model, as upstream's limits are. It
 * learns them from the answers' headers and 429s. While there is plenty, calls pass as if it were not there.
 */
export class FairShare {
  readonly #options: Options;
  readonly #pools = new Map<string, SharePool>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** How many calls wait for their turn. */
  get waiting(): number {
    let waiting = 0;
    for (const pool of this.#pools.values()) {
      waiting += pool.waiting;
    }
    return waiting;
  }

  /** This upstream under fair sharing; it must tell `heard` of each answer. */
  over(upstream: Upstream): Upstream {
    const { clock } = this.#options;
    return {
      name: upstream.name,
      ...(upstream.billing !== undefined && { billing: upstream.billing }),
      send: (request, receiver) => {
        const { callerKey, model } = request;
        const pool = model ? this.#pools.get(model) : undefined;
        if (pool === undefined || callerKey === undefined || !isModelCall(request.operation.kind)) {
          return upstream.send(request, receiver);
        }
        if (!pool.supply.isScarce(clock.monotonicMs())) {
          pool.supply.passed();
          return upstream.send(request, receiver);
        }
        const call = new SharedCall(upstream, request, callerKey, receiver, pool);
        pool.enter(call);
        return call;
      },
    };
  }

  /** /!\ Hot path. */
  readonly heard: Heard = (key, { operation, model, callerKey }, status, headers) => {
    if (!model || callerKey === undefined || !isModelCall(operation.kind)) {
      return;
    }
    const pool = this.#pools.get(model) ?? this.#poolFor(model, status, headers);
    if (pool?.heard(callerKey, key, status, headers)) {
      this.#options.log.warn(
        { model, retryAfter: headers["retry-after"] },
        "Upstream's limit is reached: callers share what it gives",
      );
    }
  };

  /** Null for an answer that tells nothing of limits: a caller can name any model. */
  #poolFor(model: string, status: number, headers: IncomingHttpHeaders): SharePool | null {
    const tells = "anthropic-ratelimit-requests-limit" in headers || status === 429;
    if (!tells || !this.#hasRoom()) {
      return null;
    }
    const { clock, keyCount, maxWaitMs, maxWaiting, later } = this.#options;
    const supply = new Supply(clock, keyCount);
    const pool = new SharePool(supply, {
      ...{ maxWaitMs, maxWaiting, later },
      monotonicMs: clock.monotonicMs,
    });
    this.#pools.set(model, pool);
    return pool;
  }

  #hasRoom(): boolean {
    if (this.#pools.size >= mostPools) {
      const now = this.#options.clock.monotonicMs();
      for (const [model, pool] of this.#pools) {
        if (pool.isIdle(now)) {
          this.#pools.delete(model);
        }
      }
    }
    return this.#pools.size < mostPools;
  }
}
