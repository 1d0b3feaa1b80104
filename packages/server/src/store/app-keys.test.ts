import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type AppKeyId, epochMs, type OrganizationId, type UserId } from "@claude-relay/contract";
import type { AppKeyRecord } from "../pipeline/app-key-ports.ts";
import { createStore } from "./store.ts";
import { onEachDatabase, type Place } from "./testing/databases.ts";
import { noon } from "./testing/samples.ts";

const key = (id: string, changes: Partial<AppKeyRecord> = {}): AppKeyRecord => ({
  id: id as AppKeyId,
  secretHash: `hash-${id}`,
  previousHash: null,
  previousValidUntil: null,
  createdAt: noon,
  rotatedAt: null,
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
  models: null,
  requestsPerMinute: null,
  requestsPerDay: null,
  concurrency: null,
  doors: null,
  userId: null,
  organizationId: null,
  ...changes,
});

const later = (ms: number) => epochMs(noon + ms);

const openOn = async (context: TestContext, place: Place) => {
  const store = await createStore(place);
  context.after(() => store.close());
  return store.appKeys;
};

onEachDatabase((database) => {
  test("a key comes back as it was stored, every field set or none, after a restart too", async (context) => {
    const place = await database.newPlace(context);
    const first = await createStore(place);
    const full = key("full", {
      previousHash: "hash-before",
      previousValidUntil: later(1),
      rotatedAt: later(2),
      expiresAt: later(3),
      revokedAt: later(4),
      lastUsedAt: later(5),
      models: ["claude-*", "opus"],
      requestsPerMinute: 6,
      requestsPerDay: 1_000_000_000,
      concurrency: 8,
      doors: ["complete", "fetch"],
      userId: "user" as UserId,
      organizationId: "org" as OrganizationId,
    });
    const bare = key("bare", { models: [], doors: [] });
    assert.deepEqual(await first.appKeys.put(full), full);
    assert.deepEqual(await first.appKeys.put(bare), bare);
    await first.close();
    const again = await openOn(context, place);
    const byId = (keys: readonly AppKeyRecord[]) =>
      [...keys].sort((a, b) => (a.id < b.id ? -1 : 1));
    assert.deepEqual(byId(await again.loadAll()), [bare, full]);
  });

  test("a key put again is replaced, and is one row", async (context) => {
    const keys = await openOn(context, await database.newPlace(context));
    await keys.put(key("a", { requestsPerDay: 5, previousHash: "x" }));
    const changed = key("a", { secretHash: "hash-new", revokedAt: later(1) });
    assert.deepEqual(await keys.put(changed), changed);
    assert.deepEqual(await keys.loadAll(), [changed]);
  });

  test("two keys cannot share a secret", async (context) => {
    const keys = await openOn(context, await database.newPlace(context));
    await keys.put(key("a", { secretHash: "same" }));
    await assert.rejects(keys.put(key("b", { secretHash: "same" })));
  });

  test("a last use moves forward and never back, and a change leaves it", async (context) => {
    const keys = await openOn(context, await database.newPlace(context));
    const { id } = await keys.put(key("a"));
    const lastUse = async () => (await keys.loadAll())[0]?.lastUsedAt;
    await keys.touch([{ id, at: later(5) }]);
    assert.equal(await lastUse(), later(5));
    await keys.touch([{ id, at: later(3) }]);
    assert.equal(await lastUse(), later(5));
    await keys.touch([{ id: "unknown" as AppKeyId, at: later(9) }]);
    assert.equal((await keys.put(key("a", { requestsPerDay: 5 }))).lastUsedAt, later(5));
    assert.equal((await keys.loadAll()).length, 1);
  });

  test("a label minted again starts unused, and a use of the key before is not its own", async (context) => {
    const keys = await openOn(context, await database.newPlace(context));
    const { id } = await keys.put(key("a"));
    await keys.touch([{ id, at: later(5) }]);
    const anew = key("a", { createdAt: later(10), secretHash: "hash-anew" });
    assert.deepEqual(await keys.put(anew), anew);
    await keys.touch([{ id, at: later(9) }]);
    assert.deepEqual(await keys.loadAll(), [anew]);
    await keys.touch([{ id, at: later(10) }]);
    assert.equal((await keys.loadAll())[0]?.lastUsedAt, later(10));
  });

  test("the list is newest first, page by page, each key once, keys of one instant too", async (context) => {
    const keys = await openOn(context, await database.newPlace(context));
    for (const [id, at] of [
      ["a", 1],
      ["b", 2],
      ["c", 2],
      ["d", 2],
      ["e", 3],
    ] as const) {
      await keys.put(key(id, { createdAt: later(at) }));
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof keys.list>> = await keys.list({
        limit: 2,
        ...(cursor !== null && { cursor }),
      });
      assert.ok(page.data.length <= 2);
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    assert.deepEqual(seen, ["e", "d", "c", "b", "a"]);
  });
});
