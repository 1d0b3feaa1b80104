import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keptToken } from "./kept-token.ts";
import { createMemoryStore } from "./memory-store.ts";
import { serializeToken } from "./stored-token.ts";

const hour = 3_600_000;
const url = "https://relay.example";
const now = Date.parse("2026-11-21T12:00:00Z");
const kept = {
  token: "a.b.c",
  deviceId: "device-0001",
  issuedAt: now - 10 * hour,
  expiresAt: now + 23 * hour,
  proxyBaseUrl: url,
  clockOffset: 0,
};

const look = async (changes: Partial<typeof kept>): Promise<string | null> => {
  const store = createMemoryStore();
  await store.set(`token ${url}`, serializeToken({ ...kept, ...changes }));
  return keptToken(store, url, now);
};

describe("a kept token", () => {
  it("is given while it needs no renewal", async () => {
    assert.equal(await look({}), kept.token);
    assert.equal(await look({ expiresAt: now + hour }), kept.token);
    assert.equal(await look({ issuedAt: now - 1_000, expiresAt: now + 600_000 }), kept.token);
  });

  it("is left to a session when it is near its end or over", async () => {
    assert.equal(await look({ expiresAt: now + hour - 1 }), null);
    assert.equal(await look({ expiresAt: now - 1 }), null);
    assert.equal(await look({ issuedAt: now - 500_000, expiresAt: now + 100_000 }), null);
  });

  it("is left to a session when the clock cannot be trusted", async () => {
    assert.equal(await look({ clockOffset: -61_000 }), null);
    assert.equal(await look({ issuedAt: now + 61_000 }), null);
  });

  it("that is none or damaged is none", async () => {
    const store = createMemoryStore();
    assert.equal(await keptToken(store, url, now), null);
    await store.set(`token ${url}`, "garbage");
    assert.equal(await keptToken(store, url, now), null);
  });
});
