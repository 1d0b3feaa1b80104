import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RouterId } from "@claude-relay/contract";
import { RouterIndex } from "./router-index.ts";
import { ip, noon, office, setUp, signed, unsigned } from "./testing/routers.ts";

const sharedSecret = "shared-by-all";
const shop = "shop" as RouterId;

describe("which secrets may sign for a router:", () => {
  it("its own alone, when it was added by name", async () => {
    const { admin, registry } = await setUp({ sharedSecret });
    const { secret } = await admin.add(office, {}, ip);
    assert.deepEqual(registry.secretsFor(office), [secret]);
    assert.equal(registry.opensUnsigned(office), false);
  });

  it("its own still when it is revoked, so that only it is told", async () => {
    const { admin, registry } = await setUp({ sharedSecret });
    const { secret } = await admin.add(office, {}, ip);
    await admin.revoke(office, ip);
    assert.deepEqual(registry.secretsFor(office), [secret]);
  });

  it("the shared one, for whoever has none of its own", async () => {
    const { registry } = await setUp({ sharedSecret });
    assert.deepEqual(registry.secretsFor(office), [sharedSecret]);
    assert.equal(registry.opensUnsigned(office), false);
    assert.equal(registry.generationOf(office), 0);
  });

  it("none, without a shared one: then loopback may come unsigned", async () => {
    const { admin, registry } = await setUp();
    assert.deepEqual(registry.secretsFor(office), []);
    assert.equal(registry.opensUnsigned(office), true);
    await admin.add(office, {}, ip);
    assert.equal(registry.opensUnsigned(office), false);
    await admin.revoke(office, ip);
    assert.equal(registry.opensUnsigned(office), false);
  });

  it("the one of JWT_SECRET_PREVIOUS too", async () => {
    const previousJwtSecret = "the-former-secret-of-these-tests";
    const { admin, registry } = await setUp({ previousJwtSecret });
    const { secret } = await admin.add(office, {}, ip);
    const all = registry.secretsFor(office);
    assert.deepEqual([all.length, all[0]], [2, secret]);
  });
});

describe("a router that comes by itself", () => {
  it("is registered once, named by what it proved, and audited", async () => {
    const { admin, registry, audit } = await setUp({ sharedSecret });
    const caller = await registry.admit(office, { ...signed, identity: "Büro\u0000\ud800" });
    assert.deepEqual([caller.kind, caller.id], ["router", office]);
    await registry.admit(office, signed);
    const { enrolledBy, generation, lastSeenAt } = admin.get(office);
    assert.deepEqual([enrolledBy, generation, lastSeenAt], ["shared_secret", 1, noon]);
    assert.deepEqual(
      audit.map(({ actor, action, subject, detail }) => [actor, action, subject, detail]),
      [
        [
          "router:office",
          "router.register",
          office,
          { enrolled_by: "shared_secret", identity: "Büro\uFFFD\uFFFD" },
        ],
      ],
    );
  });

  it("is one row when it comes twice at once, on two instances too", async () => {
    const here = await setUp({ sharedSecret });
    const elsewhere = await setUp({ sharedSecret, store: here.store });
    const callers = await Promise.all([
      here.registry.admit(office, signed),
      here.registry.admit(office, signed),
      elsewhere.registry.admit(office, signed),
    ]);
    assert.deepEqual(
      callers.map(({ id }) => id),
      [office, office, office],
    );
    assert.equal(here.store.rows.size, 1);
    assert.equal(here.audit.length + elsewhere.audit.length, 1);
  });

  it("does not get a name that is being added with a secret of its own, here or elsewhere", async () => {
    const here = await setUp({ sharedSecret });
    const adding = here.admin.add(office, {}, ip);
    const wrongSecret = { code: "credential_invalid", message: /just added with a secret/ };
    await assert.rejects(here.registry.admit(office, signed), wrongSecret);
    await adding;
    const elsewhere = await setUp({ sharedSecret });
    const late = await setUp({ sharedSecret, store: elsewhere.store });
    await elsewhere.admin.add(office, {}, ip);
    await assert.rejects(late.registry.admit(office, signed), wrongSecret);
    assert.equal(elsewhere.store.rows.get(office)?.enrolledBy, "admin");
  });

  it("is refused when it is revoked, though the shared secret is right", async () => {
    const { admin, registry } = await setUp({ sharedSecret });
    await registry.admit(office, signed);
    await admin.revoke(office, ip);
    await assert.rejects(registry.admit(office, signed), { code: "forbidden", message: /revoked/ });
    assert.equal(registry.current(office, 1), null);
  });

  it("unsigned is let in only where nothing is there to sign with", async () => {
    const open = await setUp();
    assert.equal((await open.registry.admit(office, unsigned)).id, office);
    assert.equal(open.admin.get(office).enrolledBy, "loopback");
    await open.admin.add(shop, {}, ip);
    const mustSign = { code: "credential_invalid", message: /must sign/ };
    await assert.rejects(open.registry.admit(shop, unsigned), mustSign);
    const shared = await setUp({ sharedSecret, store: open.store });
    await assert.rejects(shared.registry.admit(office, unsigned), mustSign);
  });

  it("is turned away when the table is full, while those that are known are not", async () => {
    const { registry } = await setUp({ sharedSecret, mostKnown: 1 });
    await registry.admit(office, signed);
    await assert.rejects(registry.admit(shop, signed), { code: "rate_limited" });
    assert.equal((await registry.admit(office, signed)).id, office);
  });
});

describe("a router's last sight", () => {
  it("is seen at once, handed to the store once, and stays seen", async () => {
    const { admin, registry, index, store, time } = await setUp();
    await admin.add(office, {}, ip);
    time.ms += 5;
    await registry.admit(office, { ...signed, identity: "Office" });
    const caller = registry.current(office, 1);
    const sightings = index.takeSightings();
    assert.deepEqual(sightings, [{ id: office, at: noon + 5, identity: "Office" }]);
    await store.touch(sightings);
    assert.deepEqual(index.takeSightings(), []);
    assert.deepEqual(
      [admin.get(office).lastSeenAt, admin.get(office).identity],
      [noon + 5, "Office"],
    );
    assert.equal(registry.current(office, 1), caller, "and changes nothing else of it");
  });

  it("moves with each request, and not with one that is refused", async () => {
    const { admin, registry, index, time } = await setUp();
    await admin.add(office, {}, ip);
    time.ms += 5;
    assert.equal(registry.current(office, 2), null);
    assert.deepEqual(index.takeSightings(), []);
    registry.current(office, 1);
    assert.deepEqual(index.takeSightings(), [{ id: office, at: noon + 5, identity: null }]);
  });

  it("is not turned back by a row read before it", async () => {
    const { admin, registry, index, store, time } = await setUp();
    await admin.add(office, {}, ip);
    time.ms += 5;
    await registry.admit(office, { ...signed, identity: "Office" });
    index.takeSightings();
    await index.reload(store);
    assert.deepEqual(
      [admin.get(office).lastSeenAt, admin.get(office).identity],
      [noon + 5, "Office"],
    );
  });
});

describe("after a restart", () => {
  it("secrets, generations and revocations are as they were", async () => {
    const before = await setUp();
    await before.admin.add(office, {}, ip);
    const { secret } = await before.admin.rotate(office, ip);
    await before.admin.add(shop, {}, ip);
    await before.admin.revoke(shop, ip);
    const after = await setUp({ store: before.store });
    assert.deepEqual(after.registry.secretsFor(office), [secret]);
    assert.equal(after.registry.current(office, 2)?.id, office);
    await assert.rejects(after.registry.admit(shop, signed), { code: "forbidden" });
  });

  it("a row read too early brings no revoked router back", async () => {
    const { admin, registry, store } = await setUp();
    const { record } = await admin.add(office, {}, ip);
    await admin.revoke(office, ip);
    const index = await RouterIndex.load(store, () => null);
    index.keep(record);
    assert.notEqual(index.get(office)?.revokedAt, null);
    assert.equal(registry.current(office, 1), null);
  });

  it("a row read too early brings no old secret back", async () => {
    const { admin, registry, index } = await setUp();
    const { record } = await admin.add(office, {}, ip);
    const { secret } = await admin.rotate(office, ip);
    index.keep(record);
    assert.deepEqual(registry.secretsFor(office), [secret]);
    assert.equal(registry.current(office, 1), null);
  });
});
