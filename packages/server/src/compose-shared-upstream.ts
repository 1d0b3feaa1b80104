/**
 * Wires what instances share about upstream: whether the circuit breaker is open, and which API keys rest. Each goes
 * by its own memory; what one finds out it tells the others through Redis.
 */
import type { SharedRedis } from "./compose-redis.ts";
import { type Notice, NoticeBoard, type Precedence } from "./limits/redis/notice-board.ts";
import type { Log } from "./pipeline/log.ts";
import type { Clock } from "./pipeline/types.ts";
import type { BreakerNews, CircuitBreaker } from "./upstreams/circuit-breaker.ts";
import { type KeyPool, keyName, type OnRest } from "./upstreams/key-pool.ts";

type Options = Readonly<{
  redis: SharedRedis | null;
  /** The upstream's. */
  name: string;
  apiKeys: readonly string[];
  clock: Clock;
  log: Log;
}>;

export type SharedUpstream = Readonly<{
  onNews: (news: BreakerNews) => void;
  onRest: OnRest;
  /** From here on others are heard. */
  start(breaker: CircuitBreaker, keys: KeyPool): void;
  close(): void;
}>;

const alone: SharedUpstream = {
  onNews: () => undefined,
  onRest: () => undefined,
  start: () => undefined,
  close: () => undefined,
};

/** Without Redis there is nobody to share with. */
export const openSharedUpstream = ({
  redis,
  name,
  apiKeys,
  clock,
  log,
}: Options): SharedUpstream => {
  if (redis === null) {
    return alone;
  }
  const breakerName = `breaker:${name}`;
  const heard: { breaker: CircuitBreaker | null; keys: KeyPool | null } = {
    breaker: null,
    keys: null,
  };
  const hear = ({ name: told, value, forMs }: Notice): void => {
    if (told === breakerName) {
      const news = newsOf(value, forMs);
      if (news !== null) {
        heard.breaker?.hear(news);
      }
      return;
    }
    const key = heard.keys?.hear({ name: told.slice(keyPrefix.length), forMs }) ?? null;
    if (key !== null) {
      log.warn({ key, restMs: forMs }, "API key rests: another instance laid it to rest");
    }
  };
  const keyNames = apiKeys.map((key) => [keyPrefix + keyName(key), "longest"] as const);
  const board = new NoticeBoard({
    url: redis.url,
    instance: redis.instance,
    names: new Map<string, Precedence>([[breakerName, "latest"], ...keyNames]),
    onNotice: hear,
    monotonicMs: clock.monotonicMs,
    log,
  });
  return {
    onNews: (news) => board.tell({ name: breakerName, ...noticeOf(news) }),
    onRest: ({ name: key, forMs }) =>
      board.tell({ name: keyPrefix + key, value: "rests", forMs: Math.ceil(forMs) }),
    start: (breaker, keys) => {
      heard.breaker = breaker;
      heard.keys = keys;
      board.start();
    },
    close: () => board.close(),
  };
};

const keyPrefix = "key:";

const noticeOf = (news: BreakerNews): Omit<Notice, "name"> => {
  switch (news.kind) {
    case "open":
      return { value: "open", forMs: news.forMs };
    case "probing":
      return { value: `probing:${news.successes}`, forMs: news.forMs };
    case "half_open":
      return { value: `half_open:${news.successes}`, forMs: 0 };
    case "closed":
      return { value: "closed", forMs: 0 };
  }
};

/** Null for what only a later version understands. */
const newsOf = (value: string, forMs: number): BreakerNews | null => {
  const [kind, count] = value.split(":");
  const successes = Math.max(0, Number.parseInt(count ?? "", 10) || 0);
  switch (kind) {
    case "open":
      return { kind, forMs };
    case "probing":
      return { kind, successes, forMs };
    case "half_open":
      return { kind, successes };
    case "closed":
      return { kind };
    default:
      return null;
  }
};
