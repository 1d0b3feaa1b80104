import { after, before, it } from "node:test";
import { epochMs } from "@claude-relay/contract";
import type { Redis } from "ioredis";
import { RedisServer, redisMissing } from "../../../../../test/harness/redis.ts";
import type { Admission } from "../../pipeline/admission.ts";
import { minute, type Open } from "../testing/admission-harness.ts";
import { admissionSuite } from "../testing/admission-suite.ts";
import { createScripts } from "./lua/scripts.ts";
import { RedisAdmission } from "./redis-admission.ts";
import { silentLog } from "./test-setup.ts";

const server = new RedisServer();
let client: Redis;
let tests = 0;
const opened: Admission[] = [];

/** A clock of the test's own in Redis: nothing passes but what it advances. */
const standingClock = (key: string) =>
  createScripts(`local now = tonumber(redis.call('GET', '${key}'))`);

const open: Open = async ({ startAt, spentOf }) => {
  await Promise.all(opened.splice(0).map((admission) => admission.close()));
  tests += 1;
  const prefix = `test-${tests}`;
  let now: number = startAt;
  let instances = 0;
  await client.set(`${prefix}-clock`, now);
  const connect = async () => {
    instances += 1;
    const admission = new RedisAdmission({
      url: server.url,
      prefix,
      instance: `instance-${instances}`,
      // Nothing may hang on this process's own clock.
      clock: { now: () => epochMs(now + 37 * minute), monotonicMs: () => performance.now() },
      newNonce: () => `${prefix}.${instances}`,
      spentOf,
      fallback: null,
      patienceMs: 5_000,
      ledgerPatienceMs: 5_000,
      log: silentLog,
      scripts: standingClock(`${prefix}-clock`),
    });
    opened.push(admission);
    admission.start();
    await admission.whenUp();
    return admission;
  };
  const admission = await connect();
  return {
    admission,
    advance: async (ms) => {
      now += ms;
      await client.set(`${prefix}-clock`, now);
    },
    peer: connect,
    restart: async () => {
      await Promise.all(opened.splice(0).map((dead) => dead.close()));
      return connect();
    },
  };
};

if (redisMissing !== false) {
  it("admission in Redis", { skip: redisMissing });
} else {
  before(async () => {
    await server.start();
    client = server.client();
  });
  after(async () => {
    await Promise.all(opened.splice(0).map((admission) => admission.close()));
    client.disconnect();
    await server.remove();
  });
  admissionSuite("in Redis", open, { runs: 15 });
}
