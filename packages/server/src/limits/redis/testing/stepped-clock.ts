import { epochMs } from "@claude-relay/contract";
import type { Redis } from "ioredis";
import { createScripts } from "../lua/scripts.ts";
import type { RedisAdmissionOptions } from "../redis-admission.ts";
import { until } from "../test-setup.ts";

type SteppedClock = Readonly<{
  /** For every instance that goes by this clock. */
  options: Partial<RedisAdmissionOptions>;
  advance(ms: number): Promise<void>;
  /** Resolves when Redis heard of the instance, by the present time, and the instance read what Redis answered. */
  hasBeaten(instance: string): Promise<void>;
}>;

/**
 * A clock of Redis and of the instances that moves only when a test says so. Nobody runs out of patience by it, so a
 * busy machine changes nothing.
 */
export const steppedClock = async (client: Redis, prefix: string): Promise<SteppedClock> => {
  let now = Date.UTC(2026, 10, 19, 12);
  const name = `${prefix}-clock`;
  const advance = async (ms: number): Promise<void> => {
    now += ms;
    await client.set(name, now);
  };
  await advance(0);
  const hasBeaten = async (instance: string): Promise<void> => {
    // The second beat is sent when the first one's answer was read.
    for (let beat = 0; beat < 2; beat += 1) {
      await advance(1);
      const heardAt = async () => client.zscore(`{${prefix}}:alive`, instance);
      await until(async () => Number(await heardAt()) === now);
    }
  };
  return {
    advance,
    hasBeaten,
    options: {
      prefix,
      clock: { now: () => epochMs(now), monotonicMs: () => 0 },
      scripts: createScripts(`local now = tonumber(redis.call('GET', '${name}'))`),
      heartbeatMs: 10,
      patienceMs: 20_000,
      ledgerPatienceMs: 20_000,
      localShare: 0,
    },
  };
};
