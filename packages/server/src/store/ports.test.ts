import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type DeviceId, epochMs, type OrganizationId, type UserId } from "@claude-relay/contract";
import type { DeviceRecord, EnrollmentCodeRecord, Page } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { createStore, type Store } from "./store.ts";
import { onEachDatabase, type TestedDatabase } from "./testing/databases.ts";
import { noon } from "./testing/samples.ts";

const openOn = async (context: TestContext, database: TestedDatabase): Promise<Store> => {
  const store = await createStore(await database.newPlace(context));
  context.after(() => store.close());
  return store;
};

const device = (id: string, changes: Partial<DeviceRecord> = {}): DeviceRecord => ({
  id: id as DeviceId,
  status: "active",
  label: "Mac",
  appVersion: "1.0.0",
  publicKey: "key",
  waitingKey: "another key",
  userId: "user-1" as UserId,
  organizationId: "org-1" as OrganizationId,
  models: ["claude-*"],
  requestsPerMinute: 60,
  createdAt: noon,
  approvedAt: noon,
  lastBootstrapAt: noon,
  tokensValidAfter: epochMs(0),
  replayedAt: epochMs(0),
  ...changes,
});

const code = (id: string, changes: Partial<EnrollmentCodeRecord> = {}): EnrollmentCodeRecord => ({
  id,
  codeHash: `hash-${id}`,
  label: null,
  usesLeft: 2,
  maxUses: 2,
  expiresAt: epochMs(noon + 1_000),
  createdAt: noon,
  revokedAt: null,
  models: ["claude-haiku-*"],
  requestsPerMinute: null,
  userId: null,
  organizationId: "org-1" as OrganizationId,
  ...changes,
});

/** Every row of a list, two a page. */
const pages = async <Row>(list: (cursor?: string) => Promise<Page<Row>>): Promise<Row[]> => {
  const rows: Row[] = [];
  let cursor: string | undefined;
  do {
    const page = await list(cursor);
    rows.push(...page.data);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return rows;
};

onEachDatabase((database) => {
  test("a device comes back as it was stored, and a taken id keeps the first", async (context) => {
    const { devices } = await openOn(context, database);
    const first = device("device-1");
    assert.deepEqual(await devices.insert(first), { inserted: true, device: first });
    const again = await devices.insert(device("device-1", { label: "Other" }));
    assert.deepEqual(again, { inserted: false, device: first });
    assert.deepEqual(await devices.get(first.id), first);
    assert.deepEqual(await devices.loadAll(), [first]);
    assert.equal(await devices.get("device-2" as DeviceId), null);
  });

  test("an update changes what it names, empties what it sets to null, and leaves the rest", async (context) => {
    const { devices } = await openOn(context, database);
    const { id } = (await devices.insert(device("device-1"))).device;
    const updated = await devices.update(id, { status: "revoked", models: null });
    assert.deepEqual(updated, device("device-1", { status: "revoked", models: null }));
    assert.deepEqual(await devices.update(id, {}), updated);
    assert.equal(await devices.update("device-2" as DeviceId, { label: "x" }), null);
  });

  test("upsert replaces everything but the time of creation", async (context) => {
    const { devices } = await openOn(context, database);
    await devices.upsert(device("device-1"));
    const second = device("device-1", { label: null, createdAt: epochMs(noon + 5) });
    assert.deepEqual(await devices.upsert(second), { ...second, createdAt: noon });
  });

  test("devices are listed newest first, by status, over pages that tie on time", async (context) => {
    const { devices } = await openOn(context, database);
    for (const [id, at] of [
      ["a", 1],
      ["b", 2],
      ["c", 2],
      ["d", 2],
      ["e", 3],
    ] as const) {
      await devices.insert(device(id, { createdAt: epochMs(noon + at) }));
    }
    await devices.update("c" as DeviceId, { status: "pending" });
    const all = await pages((cursor) => devices.list({ limit: 2, cursor }));
    assert.equal(all.map(({ id }) => id).join(""), "edcba");
    const pending = await devices.list({ limit: 2, status: "pending" });
    assert.deepEqual(
      pending.data.map(({ id }) => id),
      ["c"],
    );
  });

  test("a superseded token keeps its first deadline, and is forgotten once expired", async (context) => {
    const { devices } = await openOn(context, database);
    const token = {
      jti: "jti-1",
      deviceId: "device-1" as DeviceId,
      deadAfter: epochMs(noon + 60),
      expiresAt: epochMs(noon + 100),
    };
    assert.deepEqual(await devices.supersedeToken(token), token);
    const replay = { ...token, deadAfter: epochMs(noon + 90) };
    assert.deepEqual(await devices.supersedeToken(replay), token);
    assert.deepEqual(await devices.loadSuperseded(epochMs(noon + 99)), [token]);
    assert.deepEqual(await devices.loadSuperseded(epochMs(noon + 100)), []);
    assert.deepEqual(await devices.loadSuperseded(epochMs(noon), token.deviceId), [token]);
    assert.deepEqual(await devices.loadSuperseded(epochMs(noon), "device-2" as DeviceId), []);
    assert.equal(await devices.pruneSuperseded(epochMs(noon + 99)), 0);
    assert.equal(await devices.pruneSuperseded(epochMs(noon + 100)), 1);
  });

  test("a device's nonce is taken once, by one of many, until it is forgotten", async (context) => {
    const { devices } = await openOn(context, database);
    const take = (now: number, id = "device-1") =>
      devices.takeNonce(id as DeviceId, "nonce", epochMs(noon + now), epochMs(noon + now + 600));
    const taken = await Promise.all([0, 0, 0, 0].map(() => take(0)));
    assert.equal(taken.filter(Boolean).length, 1);
    assert.equal(await take(600), false);
    assert.equal(await take(0, "device-2"), true);
    assert.equal(await take(601), true);
  });

  test("of many callers racing for an enrolment code's two uses, two get one", async (context) => {
    const { enrollmentCodes } = await openOn(context, database);
    await enrollmentCodes.create(code("code-1"));
    const results = await Promise.all(
      Array.from({ length: 10 }, () => enrollmentCodes.consume("hash-code-1", noon)),
    );
    const left = results.flatMap((result) =>
      result.kind === "consumed" ? [result.code.usesLeft] : [],
    );
    assert.deepEqual(left, [1, 0]);
    assert.deepEqual(results[2], { kind: "refused", reason: "used_up" });
  });

  test("a refused enrolment code says why", async (context) => {
    const { enrollmentCodes } = await openOn(context, database);
    await enrollmentCodes.create(code("code-1"));
    await enrollmentCodes.create(code("code-2"));
    const late = epochMs(noon + 1_000);
    const refused = (reason: string) => ({ kind: "refused", reason });
    assert.deepEqual(await enrollmentCodes.consume("other", noon), refused("unknown"));
    assert.deepEqual(await enrollmentCodes.consume("hash-code-1", late), refused("expired"));
    const revoked = await enrollmentCodes.revoke("code-2", epochMs(noon + 1));
    assert.deepEqual(revoked, code("code-2", { revokedAt: epochMs(noon + 1) }));
    assert.deepEqual(await enrollmentCodes.revoke("code-2", epochMs(noon + 2)), revoked);
    assert.deepEqual(await enrollmentCodes.consume("hash-code-2", noon), refused("revoked"));
    assert.equal(await enrollmentCodes.revoke("code-9", noon), null);
  });

  test("an enrolment code is made once, and listed newest first", async (context) => {
    const { enrollmentCodes } = await openOn(context, database);
    for (const id of ["a", "b", "c"]) {
      await enrollmentCodes.create(code(id));
    }
    await assert.rejects(
      enrollmentCodes.create(code("d", { codeHash: "hash-a" })),
      (error) => error instanceof Refusal && error.code === "conflict",
    );
    const all = await pages((cursor) => enrollmentCodes.list({ limit: 2, cursor }));
    assert.deepEqual(all, [code("c"), code("b"), code("a")]);
  });

  test("the audit log keeps its order and its detail, and filters by action and subject", async (context) => {
    const { audit } = await openOn(context, database);
    const entry = {
      at: noon,
      actor: "admin",
      action: "device.revoke",
      subject: "device-1",
      outcome: "ok",
      detail: { before: { status: "active" } },
      clientIp: null,
    };
    void audit.append(entry);
    void audit.append({ ...entry, action: "device.approve", detail: null });
    await audit.append({ ...entry, subject: "device-2" });
    const all = await pages((cursor) => audit.list({ limit: 1, cursor }));
    assert.deepEqual(
      all.map(({ id, action }) => [id, action]),
      [
        [3, "device.revoke"],
        [2, "device.approve"],
        [1, "device.revoke"],
      ],
    );
    assert.deepEqual(all[2], { id: 1, ...entry });
    const one = await audit.list({ limit: 9, action: "device.revoke", subject: "device-1" });
    assert.deepEqual(
      one.data.map(({ id }) => id),
      [1],
    );
  });
});
