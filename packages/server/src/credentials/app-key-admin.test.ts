import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type AppKeyId, epochMs } from "@claude-relay/contract";
import { AppKeyIndex } from "./app-key-index.ts";
import { appKeyHash, newAppKeySecret } from "./app-key-secret.ts";
import { app, ip, noon, setUp } from "./testing/app-keys.ts";

const refused = "credential_invalid";

describe("minting a key", () => {
  it("tells the secret once and keeps only its digest", async () => {
    const { admin, store, audit, knock } = await setUp();
    const { secret, record } = await admin.mint(app, {}, ip);
    assert.equal(knock(secret), app);
    assert.equal(record.secretHash, appKeyHash(secret));
    for (const kept of [[...store.rows.values()], audit, await admin.list({ limit: 9 })]) {
      assert.ok(!JSON.stringify(kept).includes(secret));
      assert.ok(!JSON.stringify(kept).includes(secret.slice(4, 20)));
    }
    assert.deepEqual(
      audit.map(({ action, subject, outcome, clientIp }) => [action, subject, outcome, clientIp]),
      [["app_key.mint", app, "ok", ip]],
    );
  });

  it("refuses a label in use, and leaves its key as it was", async () => {
    const { admin, audit, knock } = await setUp();
    const { secret, record } = await admin.mint(app, { requestsPerDay: 5 }, ip);
    await assert.rejects(admin.mint(app, {}, ip), { code: "conflict", message: /"my-app" exists/ });
    assert.equal(knock(secret), app);
    assert.deepEqual(admin.get(app), { ...record, lastUsedAt: noon });
    assert.equal(audit.length, 1);
  });

  it("gives one of two who mint a label at once the key, and the other a refusal", async () => {
    const { admin, knock } = await setUp();
    const both = await Promise.allSettled([admin.mint(app, {}, ip), admin.mint(app, {}, ip)]);
    assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    const [minted] = both.filter((one) => one.status === "fulfilled");
    assert.equal(knock(minted?.value.secret ?? ""), app);
  });

  it("takes a revoked or expired label anew, with nothing of the key before", async () => {
    const { admin, time, knock } = await setUp();
    const first = await admin.mint(app, { requestsPerDay: 1, doors: ["fetch"] }, ip);
    knock(first.secret);
    await admin.revoke(app, ip);
    time.ms += 1000;
    const second = await admin.mint(app, { expiresAt: epochMs(noon + 5000) }, ip);
    assert.equal(second.record.requestsPerDay, null);
    assert.equal(second.record.doors, null);
    assert.equal(admin.get(app).lastUsedAt, null, "the former key's use is not this one's");
    assert.deepEqual([knock(first.secret), knock(second.secret)], [refused, app]);
    time.ms = noon + 5000;
    const third = await admin.mint(app, {}, ip);
    assert.deepEqual(
      [first, second, third].map(({ secret }) => knock(secret)),
      [refused, refused, app],
    );
  });
});

describe("a key's secret", () => {
  it("opens nothing when it is mistyped, never minted, or another kind of credential", async () => {
    const { admin, knock } = await setUp();
    const { secret } = await admin.mint(app, {}, ip);
    for (const wrong of [newAppKeySecret(), `${secret}x`, secret.toLowerCase(), "", "crk_"]) {
      assert.equal(knock(wrong), refused);
    }
  });

  it("works until the instant its key expires, and again when that is put off", async () => {
    const { admin, time, knock } = await setUp();
    const { secret } = await admin.mint(app, { expiresAt: epochMs(noon + 1000) }, ip);
    time.ms = noon + 999;
    assert.equal(knock(secret), app);
    time.ms = noon + 1000;
    assert.equal(knock(secret), refused);
    await admin.change(app, { expiresAt: null }, ip);
    assert.equal(knock(secret), app);
  });

  it("is dead as soon as the revocation is answered; revoking twice changes nothing", async () => {
    const { admin, audit, time, knock } = await setUp();
    const { secret } = await admin.mint(app, {}, ip);
    const revoked = await admin.revoke(app, ip);
    assert.equal(knock(secret), refused);
    time.ms += 1000;
    assert.deepEqual(await admin.revoke(app, ip), revoked);
    assert.deepEqual(
      audit.map(({ action }) => action),
      ["app_key.mint", "app_key.revoke"],
    );
  });
});

describe("rotating a key", () => {
  it("keeps the old secret for the grace and not an instant longer", async () => {
    const { admin, time, knock } = await setUp();
    const { secret: old } = await admin.mint(app, { requestsPerDay: 7 }, ip);
    const { secret, record } = await admin.rotate(app, 60, ip);
    assert.notEqual(secret, old);
    assert.equal(record.requestsPerDay, 7);
    assert.equal(record.previousValidUntil, noon + 60_000);
    time.ms = noon + 59_999;
    assert.deepEqual([knock(old), knock(secret)], [app, app]);
    time.ms = noon + 60_000;
    assert.deepEqual([knock(old), knock(secret)], [refused, app]);
  });

  it("with a grace of 0 ends the old secret at once", async () => {
    const { admin, knock } = await setUp();
    const { secret: old } = await admin.mint(app, {}, ip);
    const { secret, record } = await admin.rotate(app, 0, ip);
    assert.deepEqual([knock(old), knock(secret)], [refused, app]);
    assert.deepEqual([record.previousHash, record.previousValidUntil], [null, null]);
  });

  it("twice within the grace leaves the two newest secrets", async () => {
    const { admin, knock } = await setUp();
    const { secret: first } = await admin.mint(app, {}, ip);
    const { secret: second } = await admin.rotate(app, 60, ip);
    const { secret: third } = await admin.rotate(app, 60, ip);
    assert.deepEqual([first, second, third].map(knock), [refused, app, app]);
  });

  it("and then revoking ends both secrets", async () => {
    const { admin, knock } = await setUp();
    const { secret: old } = await admin.mint(app, {}, ip);
    const { secret } = await admin.rotate(app, 60, ip);
    await admin.revoke(app, ip);
    assert.deepEqual([old, secret].map(knock), [refused, refused]);
  });

  it("is refused for a key that is over: its new secret would open nothing", async () => {
    const { admin, time } = await setUp();
    await admin.mint(app, { expiresAt: epochMs(noon + 1) }, ip);
    time.ms += 1;
    await assert.rejects(admin.rotate(app, 60, ip), { code: "conflict", message: /expires_at/ });
    await admin.revoke(app, ip);
    await assert.rejects(admin.rotate(app, 60, ip), { code: "conflict", message: /revoked/ });
  });
});

describe("changing a key", () => {
  it("counts at the next request, and leaves what it does not name", async () => {
    const { admin, index, audit } = await setUp();
    const { secret } = await admin.mint(app, { models: ["claude-haiku-*"] }, ip);
    assert.deepEqual(index.callerFor(secret).policy, {
      models: ["claude-haiku-*"],
      requestsPerMinute: 60,
      requestsPerDay: 2000,
      concurrency: null,
      doors: null,
    });
    await admin.change(app, { requestsPerMinute: 2, doors: [] }, ip);
    assert.deepEqual(index.callerFor(secret).policy, {
      models: ["claude-haiku-*"],
      requestsPerMinute: 2,
      requestsPerDay: 2000,
      concurrency: null,
      doors: [],
    });
    assert.deepEqual(audit.at(-1)?.detail, { requestsPerMinute: 2, doors: [] });
  });

  it("keeps both of two changes that race", async () => {
    const { admin, store } = await setUp();
    await admin.mint(app, {}, ip);
    const gate = Promise.withResolvers<void>();
    store.gate = gate.promise;
    const changes = [
      admin.change(app, { requestsPerDay: 5 }, ip),
      admin.change(app, { concurrency: 2 }, ip),
    ];
    gate.resolve();
    await Promise.all(changes);
    const { requestsPerDay, concurrency } = store.rows.get(app) ?? {};
    assert.deepEqual({ requestsPerDay, concurrency }, { requestsPerDay: 5, concurrency: 2 });
  });

  it("never brings a key back that was revoked a moment before", async () => {
    const { admin, knock } = await setUp();
    const { secret } = await admin.mint(app, {}, ip);
    const [, changed] = await Promise.allSettled([
      admin.revoke(app, ip),
      admin.change(app, { requestsPerDay: 5 }, ip),
    ]);
    assert.equal(changed.status, "rejected");
    assert.equal(knock(secret), refused);
  });

  it("knows no label that was never minted", async () => {
    const { admin } = await setUp();
    const id = "__proto__" as AppKeyId;
    assert.throws(() => admin.get(id), { code: "not_found" });
    for (const act of [admin.revoke(id, ip), admin.change(id, {}, ip), admin.rotate(id, 0, ip)]) {
      await assert.rejects(act, { code: "not_found" });
    }
  });
});

describe("a key's last use", () => {
  it("is seen at once, handed to the store once, and stays seen", async () => {
    const { admin, index, store, time, knock } = await setUp();
    const { secret } = await admin.mint(app, {}, ip);
    assert.equal(admin.get(app).lastUsedAt, null);
    time.ms += 5;
    knock(secret);
    assert.equal(admin.get(app).lastUsedAt, noon + 5);
    const uses = index.takeUses();
    assert.deepEqual(uses, [{ id: app, at: noon + 5 }]);
    await store.touch(uses);
    assert.deepEqual(index.takeUses(), []);
    assert.equal(admin.get(app).lastUsedAt, noon + 5);
    assert.equal((await admin.change(app, { requestsPerDay: 1 }, ip)).lastUsedAt, noon + 5);
  });

  it("is not turned back by a change that was on its way to the store", async () => {
    const { admin, index, store, time, knock } = await setUp();
    const { secret } = await admin.mint(app, {}, ip);
    const gate = Promise.withResolvers<void>();
    store.gate = gate.promise;
    const changing = admin.change(app, { requestsPerDay: 1 }, ip);
    await Promise.resolve();
    time.ms += 5;
    knock(secret);
    index.takeUses();
    gate.resolve();
    assert.equal((await changing).lastUsedAt, noon + 5);
    assert.equal(admin.get(app).lastUsedAt, noon + 5);
  });

  it("is not counted for a secret that is refused", async () => {
    const { admin, index, knock } = await setUp();
    const { secret } = await admin.mint(app, {}, ip);
    await admin.revoke(app, ip);
    knock(secret);
    assert.deepEqual(index.takeUses(), []);
  });
});

describe("after a restart", () => {
  it("keys, graces and revocations are as they were", async () => {
    const { admin, store, clock } = await setUp();
    const { secret: old } = await admin.mint(app, {}, ip);
    const { secret } = await admin.rotate(app, 60, ip);
    const gone = await admin.mint("gone" as AppKeyId, {}, ip);
    await admin.revoke("gone" as AppKeyId, ip);
    const newDefaults = { requestsPerMinute: 1, requestsPerDay: null };
    const again = await AppKeyIndex.load(store, clock, newDefaults, () => null);
    assert.equal(again.callerFor(old).id, app);
    assert.equal(again.callerFor(secret).policy.requestsPerMinute, 1);
    assert.throws(() => again.callerFor(gone.secret), { code: refused });
  });
});
