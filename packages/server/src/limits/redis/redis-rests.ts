import type { Log } from "../../pipeline/log.ts";
import { clock, redisTime } from "./lua/prelude.ts";
import { RedisChannel } from "./redis-channel.ts";

/**
 * Something upstream that is left alone for a while: a key that was limited, an upstream whose breaker is open.
 * The name tells no secret. Zero: it rests no more.
 */
export type Rest = Readonly<{ name: string; forMs: number }>;

type Options = Readonly<{
  /** `redis://`, `rediss://` or the path of a Unix socket. */
  url: string;
  prefix?: string;
  /** This process and no other; its own rests are not told to it. */
  instance: string;
  /** Another instance laid it to rest, or woke it. */
  onRest: (rest: Rest) => void;
  monotonicMs: () => number;
  log: Log;
}>;

/** A rest ends by itself; a later end wins over an earlier one. ARGV: instance, name, for how long, channel. */
const restLua = `${clock(redisTime)}
local key, name, ms = base .. 'rests', ARGV[2], tonumber(ARGV[3])
if ms <= 0 then redis.call('HDEL', key, name)
else
  local ends = math.max(now + ms, tonumber(redis.call('HGET', key, name) or 0))
  redis.call('HSET', key, name, ends)
  redis.call('PEXPIRE', key, math.ceil(math.max(ends - now, redis.call('PTTL', key))))
end
redis.call('PUBLISH', ARGV[4], cjson.encode({ from = ARGV[1], name = name, forMs = ms }))
return 'ok'`;

/** Gives name and remaining ms in turn. */
const restingLua = `${clock(redisTime)}
local all, reply = redis.call('HGETALL', base .. 'rests'), {}
for j = 1, #all, 2 do
  local left = tonumber(all[j + 1]) - now
  if left > 0 then
    reply[#reply + 1] = all[j]
    reply[#reply + 1] = math.ceil(left)
  else redis.call('HDEL', base .. 'rests', all[j]) end
end
return reply`;

/** Rests shared between instances: each acts on its own memory, and tells and hears of changes. */
export class RedisRests {
  readonly #options: Options;
  readonly #channel: RedisChannel;
  readonly #base: string;
  readonly #channelName: string;
  /** Not told yet: until when each rests, by the monotonic clock. */
  readonly #untold = new Map<string, number>();

  constructor(options: Options) {
    const { url, prefix = "claude-relay", log } = options;
    this.#options = options;
    this.#base = `{${prefix}}:`;
    this.#channelName = `${this.#base}rests`;
    this.#channel = new RedisChannel({
      url,
      channel: this.#channelName,
      onMessage: (message) => this.#hear(message),
      onListening: () => void this.#load(),
      onReachable: () => {
        this.#tellUntold();
        void this.#load();
      },
      log,
    });
  }

  start(): void {
    this.#channel.start();
  }

  /** Tells all other instances, now or when they can be reached and it still rests. */
  tell({ name, forMs }: Rest): void {
    const { instance, monotonicMs, log } = this.#options;
    const until = monotonicMs() + forMs;
    this.#channel
      .run(restLua, this.#base, [instance, name, Math.ceil(forMs), this.#channelName])
      .catch((error: unknown) => {
        this.#untold.set(name, until);
        log.warn({ err: error, name }, "other instances could not be told of a rest yet");
      });
  }

  close(): void {
    this.#channel.close();
  }

  #tellUntold(): void {
    const now = this.#options.monotonicMs();
    for (const [name, until] of [...this.#untold]) {
      this.#untold.delete(name);
      this.tell({ name, forMs: Math.max(0, until - now) });
    }
  }

  async #load(): Promise<void> {
    const { onRest, log } = this.#options;
    try {
      const resting = (await this.#channel.run(restingLua, this.#base, [])) as (string | number)[];
      for (let index = 0; index < resting.length; index += 2) {
        onRest({ name: String(resting[index]), forMs: Number(resting[index + 1]) });
      }
    } catch (error) {
      log.debug({ err: error }, "rests of other instances are not known yet");
    }
  }

  #hear(message: string): void {
    const { instance, onRest, log } = this.#options;
    const heard = parse(message);
    if (heard === null) {
      log.debug({}, "a rest that cannot be understood");
    } else if (heard.from !== instance) {
      onRest({ name: heard.name, forMs: heard.forMs });
    }
  }
}

const parse = (message: string): (Rest & { from: string }) | null => {
  let said: unknown;
  try {
    said = JSON.parse(message);
  } catch {
    return null;
  }
  return typeof said === "object" &&
    said !== null &&
    "from" in said &&
    typeof said.from === "string" &&
    "name" in said &&
    typeof said.name === "string" &&
    "forMs" in said &&
    typeof said.forMs === "number"
    ? { from: said.from, name: said.name, forMs: said.forMs }
    : null;
};
