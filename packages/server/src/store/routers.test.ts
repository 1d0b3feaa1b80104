import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { epochMs, type OrganizationId, type RouterId, type UserId } from "@claude-relay/contract";
import { sql } from "kysely";
import type { RouterRecord } from "../pipeline/router-ports.ts";
import { createStore } from "./store.ts";
import { onEachDatabase, openAt, type Place } from "./testing/databases.ts";
import { noon } from "./testing/samples.ts";

const router = (id: string, changes: Partial<RouterRecord> = {}): RouterRecord => ({
  id: id as RouterId,
  enrolledBy: "admin",
  generation: 1,
  identity: null,
  createdAt: noon,
  rotatedAt: null,
  revokedAt: null,
  lastSeenAt: null,
  models: null,
  requestsPerMinute: null,
  userId: null,
  organizationId: null,
  ...changes,
});

const later = (ms: number) => epochMs(noon + ms);

const openOn = async (context: TestContext, place: Place) => {
  const store = await createStore(place);
  context.after(() => store.close());
  return store.routers;
};

onEachDatabase((database) => {
  test("a router comes back as it was stored, every field set or none, after a restart too", async (context) => {
    const place = await database.newPlace(context);
    const first = await createStore(place);
    const full = router("full", {
      enrolledBy: "shared_secret",
      generation: 7,
      identity: "Büro\uFFFD",
      rotatedAt: later(1),
      revokedAt: later(2),
      lastSeenAt: later(3),
      models: ["claude-*", "opus"],
      requestsPerMinute: 1_000_000_000,
      userId: "user" as UserId,
      organizationId: "org" as OrganizationId,
    });
    const bare = router("bare", { models: [], enrolledBy: "loopback" });
    assert.deepEqual(await first.routers.insert(full), full);
    assert.deepEqual(await first.routers.insert(bare), bare);
    await first.close();
    const again = await openOn(context, place);
    const byId = (rows: readonly RouterRecord[]) =>
      [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));
    assert.deepEqual(byId(await again.loadAll()), [bare, full]);
  });

  test("a name that is taken is not taken over", async (context) => {
    const routers = await openOn(context, await database.newPlace(context));
    const named = await routers.insert(router("a"));
    const stranger = router("a", { enrolledBy: "shared_secret", createdAt: later(1) });
    assert.equal(await routers.insert(stranger), null);
    assert.deepEqual(await routers.loadAll(), [named]);
  });

  test("of two changes that crossed, the one that knows an older secret is refused", async (context) => {
    const routers = await openOn(context, await database.newPlace(context));
    await routers.insert(router("a"));
    const rotated = router("a", { generation: 2, rotatedAt: later(1) });
    assert.deepEqual(await routers.replace(rotated), rotated);
    const stale = router("a", { requestsPerMinute: 5 });
    await assert.rejects(routers.replace(stale), {
      code: "conflict",
      message: /changed elsewhere/,
    });
    assert.deepEqual(await routers.loadAll(), [rotated]);
  });

  test("a revoked router stays revoked, unless it is added anew with a newer secret", async (context) => {
    const routers = await openOn(context, await database.newPlace(context));
    await routers.insert(router("a"));
    const revoked = router("a", { revokedAt: later(1) });
    assert.deepEqual(await routers.replace(revoked), revoked);
    await assert.rejects(routers.replace(router("a", { requestsPerMinute: 5 })), {
      code: "conflict",
    });
    assert.deepEqual(await routers.loadAll(), [revoked]);
    const anew = router("a", { generation: 2, createdAt: later(5) });
    assert.deepEqual(await routers.replace(anew), anew);
  });

  test("a last sight moves forward and never back, and a change leaves it", async (context) => {
    const routers = await openOn(context, await database.newPlace(context));
    await routers.insert(router("a"));
    const id = "a" as RouterId;
    const sight = async () => {
      const [row] = await routers.loadAll();
      return [row?.lastSeenAt, row?.identity];
    };
    await routers.touch([{ id, at: later(5), identity: "Office" }]);
    await routers.touch([{ id, at: later(3), identity: "Former" }]);
    assert.deepEqual(await sight(), [later(5), "Office"]);
    await routers.touch([{ id: "unknown" as RouterId, at: later(9), identity: null }]);
    const changed = await routers.replace(router("a", { requestsPerMinute: 5 }));
    assert.deepEqual(
      [changed.lastSeenAt, changed.identity, changed.requestsPerMinute],
      [later(5), "Office", 5],
    );
  });

  test("a name added anew starts unseen, and a sight of the router before is not its own", async (context) => {
    const routers = await openOn(context, await database.newPlace(context));
    const id = "a" as RouterId;
    await routers.insert(router("a"));
    await routers.touch([{ id, at: later(5), identity: "Office" }]);
    const anew = router("a", { createdAt: later(10), generation: 2 });
    assert.deepEqual(await routers.replace(anew), anew);
    await routers.touch([{ id, at: later(9), identity: "Former" }]);
    assert.deepEqual(await routers.loadAll(), [anew]);
  });

  test("the list is newest first, page by page, each router once", async (context) => {
    const routers = await openOn(context, await database.newPlace(context));
    for (const [id, at] of [
      ["a", 1],
      ["b", 2],
      ["c", 2],
      ["d", 2],
      ["e", 3],
    ] as const) {
      await routers.insert(router(id, { createdAt: later(at) }));
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof routers.list>> = await routers.list({
        limit: 2,
        ...(cursor !== null && { cursor }),
      });
      assert.ok(page.data.length <= 2);
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    assert.deepEqual(seen, ["e", "d", "c", "b", "a"]);
  });

  test("a router that is not revoked keeps its user and its organization", async (context) => {
    const place = await database.newPlace(context);
    const store = await createStore(place);
    context.after(() => store.close());
    const ann = "ann" as UserId;
    const lab = "lab" as OrganizationId;
    await store.organizations.insert({ id: lab, name: null, createdAt: noon });
    await store.users.insert({ id: ann, name: null, organizationId: null, createdAt: noon });
    const owned = { userId: ann, organizationId: lab };
    await store.routers.insert(router("office", owned));
    const inUse = { kind: "in_use", members: ['router "office"'], more: 0 };
    assert.deepEqual(await store.users.remove(ann, noon), inUse);
    assert.deepEqual(await store.organizations.remove(lab, noon), inUse);
    await store.routers.replace(router("office", { ...owned, revokedAt: later(1) }));
    assert.deepEqual(await store.users.remove(ann, noon), { kind: "removed" });
    assert.deepEqual(await store.organizations.remove(lab, noon), { kind: "removed" });
  });

  test("a session's spending and one thing's audit entries are found by their indexes", async (context) => {
    const { db } = await openAt(context, await database.newPlace(context));
    const explain = sql.raw(database.name === "SQLite" ? "explain query plan" : "explain");
    const planOf = (query: ReturnType<typeof sql>) =>
      db.transaction().execute(async (inside) => {
        if (database.name === "Postgres") {
          // With so few rows it would rather read them all.
          await sql`set local enable_seqscan = off`.execute(inside);
        }
        return JSON.stringify((await sql`${explain} ${query}`.execute(inside)).rows);
      });
    const spending = sql`select sum(cost_micro_usd) from requests where session_id = ${"s"} and started_at >= ${noon}`;
    assert.match(await planOf(spending), /requests_by_session/);
    const warnings = sql`select * from audit where action = ${"a"} and subject = ${"s"} order by id desc limit 5`;
    assert.match(await planOf(warnings), /audit_by_subject/);
  });
});
