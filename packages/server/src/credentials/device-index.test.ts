import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DeviceId, epochMs } from "@claude-relay/contract";
import type { DeviceStore, SupersededToken } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { DeviceIndex } from "./device-index.ts";
import type { WrapperClaims } from "./wrapper-token.ts";

const id = "test-device-0001" as DeviceId;
const hour = 3_600_000;
const day = 24 * hour;
const start = 1_790_000_000_000;

/** Replaced tokens in a list, as a table has them. */
const tokenTable = () => {
  let rows: SupersededToken[] = [];
  const asked: unknown[] = [];
  const store = {
    loadAll: async () => [{ id, status: "active", tokensValidAfter: 0, replayedAt: 0 }],
    get: async () => null,
    supersedeToken: async (token: SupersededToken) => {
      rows.push(token);
      return token;
    },
    loadSuperseded: async (now: number, device?: DeviceId) => {
      asked.push(device);
      return rows.filter(({ expiresAt }) => expiresAt > now);
    },
    pruneSuperseded: async (now: number) => {
      rows = rows.filter(({ expiresAt }) => expiresAt > now);
      return 0;
    },
  } as unknown as DeviceStore;
  return { store, asked, jtis: () => rows.map(({ jti }) => jti) };
};

const setup = async (renewableMs: number) => {
  const time = { ms: start };
  const clock = { now: () => epochMs(time.ms), monotonicMs: () => time.ms };
  const table = tokenTable();
  const load = () => DeviceIndex.load(table.store, clock, () => null, renewableMs);
  return { time, table, load, index: await load() };
};

/** A token of a day, issued so long after the start. */
const token = (jti: string, afterMs = 0): WrapperClaims => ({
  deviceId: id,
  jti,
  issuedAt: epochMs(start + afterMs),
  expiresAt: epochMs(start + afterMs + day),
});

const isReplaced = (index: DeviceIndex, claims: WrapperClaims): boolean => {
  try {
    index.callerFor(claims);
    return false;
  } catch (error) {
    return error instanceof Refusal && error.code === "credential_expired";
  }
};

describe("a replaced token", () => {
  it("is known for one as long as it could be renewed, also after a restart, and is forgotten then", async () => {
    const { time, table, load, index } = await setup(30 * day);
    const replace = async (on: DeviceIndex, claims: WrapperClaims): Promise<void> => {
      await on.supersede(claims, epochMs(time.ms));
    };
    await replace(index, token("first"));
    time.ms = start + 31 * day - 1;
    await replace(index, token("second", 30 * day));
    for (const one of [index, await load()]) {
      assert.ok(isReplaced(one, token("first")));
    }
    assert.deepEqual(table.jtis(), ["first", "second"]);
    time.ms = start + 31 * day + hour;
    await replace(index, token("third", 31 * day));
    assert.deepEqual(table.jtis(), ["second", "third"]);
    assert.ok(!isReplaced(index, token("first")), "nobody can bring it any more");
    assert.ok(isReplaced(index, token("second")));
  });

  it("is forgotten when it expires where no expired token is renewed", async () => {
    const { time, table, load, index } = await setup(0);
    await index.supersede(token("first"), epochMs(time.ms));
    time.ms = start + day;
    await load();
    assert.deepEqual(table.jtis(), []);
  });

  it("of one device is read when that device changed elsewhere, and not those of all others", async () => {
    const { table, index } = await setup(30 * day);
    table.asked.length = 0;
    await index.refresh(id);
    assert.deepEqual(table.asked, [id]);
  });
});
