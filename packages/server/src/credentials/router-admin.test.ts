import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { OrganizationId, RouterId, UserId } from "@claude-relay/contract";
import { ip, noon, office, setUp, signed } from "./testing/routers.ts";

describe("adding a router", () => {
  it("tells its secret once and keeps none", async () => {
    const { admin, registry, store, audit } = await setUp();
    const { secret, record } = await admin.add(office, { requestsPerMinute: 5 }, ip);
    assert.match(secret, /^crr_[A-Za-z0-9_-]{43}$/);
    assert.deepEqual(registry.secretsFor(office), [secret]);
    assert.deepEqual([record.generation, record.enrolledBy], [1, "admin"]);
    for (const kept of [[...store.rows.values()], audit, await admin.list({ limit: 9 })]) {
      assert.ok(!JSON.stringify(kept).includes(secret.slice(4, 20)));
    }
    assert.deepEqual(
      audit.map(({ actor, action, subject, detail }) => [actor, action, subject, detail]),
      [["admin", "router.add", office, { requestsPerMinute: 5 }]],
    );
  });

  it("refuses a name in use, and leaves its router as it was", async () => {
    const { admin, registry } = await setUp();
    const { secret, record } = await admin.add(office, {}, ip);
    await assert.rejects(admin.add(office, {}, ip), {
      code: "conflict",
      message: /exists: rotate/,
    });
    assert.deepEqual(registry.secretsFor(office), [secret]);
    assert.deepEqual(admin.get(office), record);
  });

  it("refuses a name that another instance added a moment ago, and knows it then", async () => {
    const here = await setUp();
    const elsewhere = await setUp({ store: here.store });
    const { record } = await elsewhere.admin.add(office, { requestsPerMinute: 5 }, ip);
    await assert.rejects(here.admin.add(office, {}, ip), { code: "conflict" });
    assert.deepEqual(here.admin.get(office), record);
  });

  it("takes a revoked name anew, with a newer secret and nothing of before", async () => {
    const { admin, registry } = await setUp();
    const first = await admin.add(office, { requestsPerMinute: 1 }, ip);
    await registry.admit(office, signed);
    const session = registry.generationOf(office);
    await admin.revoke(office, ip);
    const second = await admin.add(office, {}, ip);
    assert.notEqual(second.secret, first.secret);
    assert.deepEqual(registry.secretsFor(office), [second.secret]);
    const { requestsPerMinute, identity, lastSeenAt, revokedAt, generation } = admin.get(office);
    assert.deepEqual(
      { requestsPerMinute, identity, lastSeenAt, revokedAt, generation },
      {
        requestsPerMinute: null,
        identity: null,
        lastSeenAt: null,
        revokedAt: null,
        generation: 2,
      },
    );
    assert.equal(registry.current(office, session), null, "a session of before opens nothing");
  });

  it("refuses an owner that does not exist", async () => {
    const { admin } = await setUp();
    const nobody = { userId: "nobody" as UserId };
    await assert.rejects(admin.add(office, nobody, ip), {
      code: "invalid_request",
      message: /^user_id: /,
    });
    assert.throws(() => admin.get(office), { code: "not_found" });
  });
});

describe("rotating a router's secret", () => {
  it("ends the old one, and every session made with it, at once", async () => {
    const { admin, registry, audit } = await setUp();
    const { secret: old } = await admin.add(office, { requestsPerMinute: 7 }, ip);
    const generation = registry.generationOf(office);
    assert.equal(registry.current(office, generation)?.id, office);
    const { secret, record } = await admin.rotate(office, ip);
    assert.notEqual(secret, old);
    assert.deepEqual(registry.secretsFor(office), [secret]);
    assert.equal(registry.current(office, generation), null);
    assert.equal(registry.current(office, generation + 1)?.id, office);
    assert.deepEqual([record.requestsPerMinute, record.rotatedAt], [7, noon]);
    assert.equal(audit.at(-1)?.action, "router.rotate");
  });

  it("gives a router of the shared secret one of its own, and the shared one ends for it", async () => {
    const { admin, registry } = await setUp({ sharedSecret: "shared-by-all" });
    await registry.admit(office, signed);
    assert.deepEqual(registry.secretsFor(office), ["shared-by-all"]);
    const { secret, record } = await admin.rotate(office, ip);
    assert.deepEqual([record.enrolledBy, record.generation], ["admin", 2]);
    assert.deepEqual(registry.secretsFor(office), [secret]);
  });

  it("is refused for a revoked router: its new secret would open nothing", async () => {
    const { admin } = await setUp();
    await admin.add(office, {}, ip);
    await admin.revoke(office, ip);
    await assert.rejects(admin.rotate(office, ip), { code: "conflict", message: /add it anew/ });
  });
});

describe("revoking a router", () => {
  it("counts at once, stays, and is written down once", async () => {
    const { admin, registry, time, audit } = await setUp();
    await admin.add(office, {}, ip);
    const generation = registry.generationOf(office);
    const revoked = await admin.revoke(office, ip);
    assert.equal(registry.current(office, generation), null);
    await assert.rejects(registry.admit(office, signed), { code: "forbidden", message: /revoked/ });
    time.ms += 1000;
    assert.deepEqual(await admin.revoke(office, ip), revoked);
    assert.deepEqual(
      audit.map(({ action }) => action),
      ["router.add", "router.revoke"],
    );
  });

  it("wins against a change that is on its way on another instance", async () => {
    const here = await setUp();
    await here.admin.add(office, {}, ip);
    const elsewhere = await setUp({ store: here.store });
    await here.admin.revoke(office, ip);
    await assert.rejects(elsewhere.admin.change(office, { requestsPerMinute: 5 }, ip), {
      code: "conflict",
    });
    assert.equal(elsewhere.registry.current(office, 1), null, "it knows by now");
    assert.notEqual(here.store.rows.get(office)?.revokedAt, null);
  });
});

describe("changing a router", () => {
  it("counts at the next request, and leaves what it does not name", async () => {
    const { admin, registry, audit } = await setUp();
    await admin.add(office, { models: ["claude-haiku-*"] }, ip);
    const before = registry.current(office, 1);
    assert.deepEqual(before?.policy, { models: ["claude-haiku-*"], requestsPerMinute: null });
    assert.equal(registry.current(office, 1), before, "the same object until something changes");
    await admin.change(office, { requestsPerMinute: 2 }, ip);
    assert.deepEqual(registry.current(office, 1)?.policy, {
      models: ["claude-haiku-*"],
      requestsPerMinute: 2,
    });
    assert.deepEqual(audit.at(-1)?.detail, { requestsPerMinute: 2 });
  });

  it("keeps both of two changes that race", async () => {
    const { admin, store } = await setUp();
    await admin.add(office, {}, ip);
    const gate = Promise.withResolvers<void>();
    store.gate = gate.promise;
    const changes = [
      admin.change(office, { requestsPerMinute: 5 }, ip),
      admin.change(office, { models: ["opus"] }, ip),
    ];
    gate.resolve();
    await Promise.all(changes);
    const { requestsPerMinute, models } = admin.get(office);
    assert.deepEqual({ requestsPerMinute, models }, { requestsPerMinute: 5, models: ["opus"] });
  });

  it("knows no name that was never added", async () => {
    const { admin } = await setUp();
    const id = "__proto__" as RouterId;
    assert.throws(() => admin.get(id), { code: "not_found" });
    for (const act of [admin.revoke(id, ip), admin.change(id, {}, ip), admin.rotate(id, ip)]) {
      await assert.rejects(act, { code: "not_found" });
    }
  });
});

it("a router belongs to its user's organization when it names none", async () => {
  const { admin, registry, owners, index } = await setUp();
  const ann = "ann" as UserId;
  const lab = "lab" as OrganizationId;
  const makeUser = (organizationId: OrganizationId | null) =>
    owners.users.keep({
      id: ann,
      name: null,
      organizationId,
      createdAt: admin.get(office).createdAt,
    });
  await admin.add(office, {}, ip);
  makeUser(lab);
  await admin.change(office, { userId: ann }, ip);
  assert.equal(registry.current(office, 1)?.organizationId, lab);
  makeUser(null);
  index.refreshCallers();
  assert.equal(registry.current(office, 1)?.organizationId, null);
});
