/** A device whose token expired while it was off: its key brings it back, and nothing else does. */
import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { makeDeviceKey, type Proof } from "./harness/device-key.ts";
import { type Answer, type InsideRelay, startInside } from "./harness/inside.ts";
import { createOwners } from "./harness/owners.ts";
import { postgresMissing, startPostgres } from "./harness/postgres.ts";
import { RedisServer, redisMissing } from "./harness/redis.ts";
import { assertRefused, badToken, expiredToken, forbidden } from "./harness/refused.ts";
import { jwtSecret } from "./harness/secrets.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const hour = 3_600_000;
const day = 24 * hour;

type Key = ReturnType<typeof makeDeviceKey>;
type Device = Readonly<{ id: string; key: Key; token: string }>;

const refresh = (relay: InsideRelay, token: string, body?: Partial<Proof>): Promise<Answer> =>
  relay.call("/refresh", { method: "POST", token, ...(body && { body }) });

/** Renews with the device's signature. */
const signed = (relay: InsideRelay, { id, key }: Device, token: string): Promise<Answer> =>
  refresh(relay, token, key.proof(id, token, relay.now()));

const renewedBy = async (relay: InsideRelay, device: Device, token: string): Promise<string> => {
  const { status, body, text } = await signed(relay, device, token);
  assert.equal(status, 200, text);
  return body.wrapper_token;
};

let count = 0;

/** A device that a code let in; without a key when `key` is null. */
const enroll = async (
  relay: InsideRelay,
  more: object = {},
  key: Key | null = makeDeviceKey(),
): Promise<Device> => {
  count += 1;
  const id = `off-device-${count}`;
  const code = await relay.admin("/admin/enrollment-codes", { body: more });
  const { status, body, text } = await relay.call("/bootstrap", {
    body: {
      device_id: id,
      enrollment_code: code.body.enrollment_code,
      ...(key && { device_public_key: key.publicKey }),
    },
  });
  assert.equal(status, 200, text);
  return { id, key: key ?? makeDeviceKey(), token: body.wrapper_token };
};

const audited = async (relay: InsideRelay, action: string, { id }: Device) => {
  const { body } = await relay.admin(`/admin/audit?action=${action}&subject=${id}`);
  return body.data as { outcome: string; detail: Record<string, unknown> }[];
};
const outcomes = async (relay: InsideRelay, action: string, device: Device): Promise<string[]> =>
  (await audited(relay, action, device)).map(({ outcome }) => outcome).reverse();

const works = async (relay: InsideRelay, token: string): Promise<void> =>
  assert.equal((await relay.ask(token)).status, 200);

const setStatus = (relay: InsideRelay, { id }: Device, status: string) =>
  relay.admin(`/admin/devices/${id}`, { method: "PATCH", body: { status } });

const env = { BOOTSTRAP: "code", IP_RATE_LIMIT_MAX: "1000000" };

describe("a device with a key that was off", () => {
  let relay: InsideRelay;

  before(async () => {
    relay = await startInside({ env });
  });
  after(() => relay.remove());

  /** One whose token expired two days ago. */
  const off = async (): Promise<Device> => {
    const device = await enroll(relay);
    relay.advance(3 * day);
    return device;
  };

  it("for three days renews its expired token by its signature", async () => {
    const device = await off();
    const { token } = device;
    const fresh = await renewedBy(relay, device, token);
    await works(relay, fresh);
    const [row] = await audited(relay, "device.refresh", device);
    assert.equal(row?.outcome, "ok");
    assert.ok(Number(row?.detail["expiresAt"]) < relay.now());
    relay.advance(23 * hour);
    await renewedBy(relay, device, fresh);
  });

  it("has in its expired token nothing else than that, also in the minute after", async () => {
    const device = await off();
    const { token } = device;
    for (let renewed = 0; renewed < 2; renewed += 1) {
      assertRefused(await relay.ask(token), expiredToken());
      for (const path of ["/v1/models", "/admin/usage", "/admin/devices"]) {
        assert.equal((await relay.call(path, { token })).status, 401, path);
      }
      await renewedBy(relay, device, token);
    }
  });

  it("may have been so to the last second of DEVICE_RENEWAL_DAYS, and is told when it was longer", async () => {
    const [device, late] = [await enroll(relay), await enroll(relay)];
    relay.advance(31 * day - 2_000);
    await renewedBy(relay, device, device.token);
    relay.advance(2_000);
    const tooLate = expiredToken(/expired more than 30 days ago.*\/bootstrap/);
    assertRefused(await signed(relay, late, late.token), tooLate);
    assertRefused(await signed(relay, device, device.token), tooLate);
  });

  it("cannot be played by whoever has the token alone, and loses nothing by the attempt", async () => {
    const device = await off();
    const { id, token } = device;
    const good = device.key.proof(id, token, relay.now());
    assertRefused(await refresh(relay, token), expiredToken());
    assertRefused(
      await refresh(relay, token, { timestamp: good.timestamp, nonce: good.nonce }),
      expiredToken(),
    );
    const notTheDevices = badToken(/signature is not the device's/);
    for (const proof of [
      makeDeviceKey().proof(id, token, relay.now()),
      { ...good, nonce: "n".repeat(22) },
      { ...good, signature: "" },
    ]) {
      assertRefused(await refresh(relay, token, proof), notTheDevices);
    }
    assert.deepEqual(await outcomes(relay, "device.refresh", device), [
      "credential_expired",
      "credential_expired",
      ...Array(3).fill("credential_invalid"),
    ]);
    assert.deepEqual(await outcomes(relay, "device.replay", device), []);
    assert.equal((await refresh(relay, token, good)).status, 200);
    assertRefused(await refresh(relay, token, good), badToken(/nonce was used/));
  });

  it("is told the time when its clock is wrong", async () => {
    const device = await off();
    const { id, key, token } = device;
    const old = key.proof(id, token, relay.now() - 3 * day);
    const answer = await refresh(relay, token, old);
    assertRefused(answer, badToken(/too far off/));
    assert.ok(Math.abs(Date.parse(answer.headers.get("date") ?? "") - relay.now()) < 1000);
    await renewedBy(relay, device, token);
  });

  it("without a key gets nothing for its expired token, signed or not", async () => {
    const device = await enroll(relay, {}, null);
    relay.advance(25 * hour);
    assertRefused(await refresh(relay, device.token), expiredToken());
    assertRefused(await signed(relay, device, device.token), expiredToken());
  });

  it("may ask twice at once, and again when it never heard the answer", async () => {
    const device = await off();
    const { token } = device;
    const racing = await Promise.all([1, 2, 3].map(() => renewedBy(relay, device, token)));
    for (const fresh of racing) {
      await works(relay, fresh);
    }
    assert.deepEqual(await outcomes(relay, "device.replay", device), []);
    relay.advance(5 * day);
    await works(relay, await renewedBy(relay, device, token));
    assert.deepEqual(await outcomes(relay, "device.replay", device), ["renewed"]);
  });

  it("that was replaced by its backup of before the last renewal comes back, and that is audited", async () => {
    const device = await off();
    const newest = await renewedBy(relay, device, device.token);
    relay.advance(2 * day);
    const restored = await renewedBy(relay, device, device.token);
    await works(relay, restored);
    assert.deepEqual(await outcomes(relay, "device.replay", device), ["renewed"]);
    // Nobody has brought the one that was lost.
    await works(relay, await renewedBy(relay, device, newest));
  });

  it("goes on when a copy of its key comes with an older token: the copy gets nothing", async () => {
    const device = await off();
    const stolen = device.token;
    const second = await renewedBy(relay, device, stolen);
    relay.advance(2 * day);
    const newest = await renewedBy(relay, device, second);
    relay.advance(hour);
    const cameBack = badToken(/came back: every token of this device has been revoked/);
    assertRefused(await signed(relay, device, stolen), cameBack);
    assertRefused(await relay.ask(newest), expiredToken(/has ended/));
    const [replay] = await audited(relay, "device.replay", device);
    assert.deepEqual([replay?.outcome, replay?.detail["proved"]], ["revoked", true]);
    relay.advance(4 * day);
    const own = await renewedBy(relay, device, newest);
    for (const copy of [stolen, second]) {
      assertRefused(await signed(relay, device, copy), cameBack);
    }
    await works(relay, own);
    assert.deepEqual((await outcomes(relay, "device.replay", device)).slice(0, 2), [
      "revoked",
      "renewed",
    ]);
  });

  it("loses nothing when a stranger brings a replaced token of it that has expired", async () => {
    const device = await off();
    const newest = await renewedBy(relay, device, device.token);
    relay.advance(hour);
    assertRefused(await refresh(relay, device.token), expiredToken());
    const foreign = makeDeviceKey().proof(device.id, device.token, relay.now());
    assertRefused(await refresh(relay, device.token, foreign), badToken(/not the device's/));
    await works(relay, newest);
    assert.deepEqual(await outcomes(relay, "device.replay", device), []);
  });

  it("comes back though its tokens ended while it was off", async () => {
    const device = await enroll(relay);
    const newest = await renewedBy(relay, device, device.token);
    relay.advance(hour);
    assert.equal((await refresh(relay, device.token)).status, 401);
    assertRefused(await relay.ask(newest), expiredToken(/has ended/));
    relay.advance(5 * day);
    await works(relay, await renewedBy(relay, device, newest));
    assert.deepEqual(await outcomes(relay, "device.replay", device), ["revoked", "renewed"]);
  });

  it("brings its newest token: one beside it that was never renewed is worth nothing once expired", async () => {
    const device = await enroll(relay);
    const [one, other] = await Promise.all(
      [1, 2].map(() => renewedBy(relay, device, device.token)),
    );
    relay.advance(3 * day);
    const own = await renewedBy(relay, device, one ?? "");
    assertRefused(await signed(relay, device, other ?? ""), expiredToken(/another since/));
    await works(relay, own);
  });

  it("is refused while it is disabled, and comes back when it is enabled", async () => {
    const device = await off();
    await setStatus(relay, device, "disabled");
    assertRefused(await signed(relay, device, device.token), forbidden(/disabled.*operator/));
    assertRefused(await refresh(relay, device.token), expiredToken());
    await setStatus(relay, device, "active");
    await renewedBy(relay, device, device.token);
  });

  for (const [how, end] of [
    ["revoked", (device: Device) => setStatus(relay, device, "revoked")],
    [
      "signed out by an admin",
      ({ id }: Device) => relay.admin(`/admin/devices/${id}/revoke-tokens`, { method: "POST" }),
    ],
  ] as const) {
    it(`stays out when it was ${how} meanwhile, whatever it is set to`, async () => {
      const device = await off();
      await end(device);
      assertRefused(await signed(relay, device, device.token), badToken(/revoked/));
      await setStatus(relay, device, "active");
      assertRefused(await signed(relay, device, device.token), badToken(/revoked/));
    });
  }

  it("that has another key by now cannot use the old one", async () => {
    const device = await off();
    const key = makeDeviceKey();
    const { body } = await relay.admin("/admin/enrollment-codes", { body: {} });
    const again = await relay.call("/bootstrap", {
      body: {
        device_id: device.id,
        device_public_key: key.publicKey,
        enrollment_code: body.enrollment_code,
      },
    });
    assert.equal(again.status, 200);
    assertRefused(await signed(relay, device, device.token), badToken(/not the device's/));
  });
});

describe("a device that was off, at a relay that was set otherwise meanwhile", () => {
  /** A device, and the relay after it was off for so long; what `before` does happens first. */
  const meanwhile = async (
    t: TestContext,
    { first = {}, later = {}, ms = 3 * day }: { first?: object; later?: object; ms?: number },
    before: (relay: InsideRelay, device: Device) => Promise<unknown> = async () => undefined,
  ) => {
    const dataDir = tempFolder(t);
    const from = await startInside({ dataDir, env: { ...env, ...first } });
    const device = await enroll(from);
    await before(from, device);
    await from.close();
    const relay = await startInside({
      dataDir,
      env: { ...env, ...first, ...later },
      now: from.now() + ms,
    });
    t.after(() => relay.close());
    return { relay, device };
  };

  it("(DEVICE_RENEWAL_DAYS=0) needs a new code as soon as its token expires", async (t) => {
    const { relay, device } = await meanwhile(t, { later: { DEVICE_RENEWAL_DAYS: "0" }, ms: day });
    assertRefused(await signed(relay, device, device.token), expiredToken());
  });

  it("(DEVICE_RENEWAL_DAYS=2) has two days", async (t) => {
    const { relay, device } = await meanwhile(t, { later: { DEVICE_RENEWAL_DAYS: "2" } });
    const tooLate = expiredToken(/more than 2 days ago/);
    assertRefused(await signed(relay, device, device.token), tooLate);
  });

  it("(DEVICE_KEYS=required) comes back by its key", async (t) => {
    const { relay, device } = await meanwhile(t, { later: { DEVICE_KEYS: "required" } });
    await works(relay, await renewedBy(relay, device, device.token));
  });

  it("comes back while JWT_SECRET_PREVIOUS has the secret that signed its token, and not without", async (t) => {
    const secret = "another-honest-secret-0123456789abcdef012345";
    const rotated = { JWT_SECRET: secret, JWT_SECRET_PREVIOUS: jwtSecret };
    const { relay, device } = await meanwhile(t, { later: rotated });
    await works(relay, await renewedBy(relay, device, device.token));
    const other = await meanwhile(t, { later: { JWT_SECRET: secret } });
    assertRefused(await signed(other.relay, other.device, other.device.token), badToken());
  });

  it("is known for replaced after a restart too, for as long as its token can come back", async (t) => {
    let tokens: string[] = [];
    const { relay, device } = await meanwhile(t, { ms: 29 * day }, async (from, one) => {
      const second = await renewedBy(from, one, one.token);
      from.advance(hour);
      tokens = [one.token, second, await renewedBy(from, one, second)];
    });
    const [oldest = "", , newest = ""] = tokens;
    assertRefused(await signed(relay, device, oldest), badToken(/came back/));
    await renewedBy(relay, device, newest);
  });

  const mustBeApproved = expiredToken(/must be approved.*\/bootstrap/);

  it("(BOOTSTRAP=approve) that no admin ever let in must be approved; one that renews in time goes on", async (t) => {
    const dataDir = tempFolder(t);
    const open = await startInside({ dataDir, env: { BOOTSTRAP: "open" } });
    const [one, other] = [1, 2].map((n) => ({ id: `open-device-${n}`, key: makeDeviceKey() }));
    const boot = async (relay: InsideRelay, { id, key }: { id: string; key: Key }) =>
      relay.call("/bootstrap", { body: { device_id: id, device_public_key: key.publicKey } });
    assert.ok(one && other);
    const off = { ...one, token: (await boot(open, one)).body.wrapper_token as string };
    const on = { ...other, token: (await boot(open, other)).body.wrapper_token as string };
    await open.close();
    const relay = await startInside({
      dataDir,
      env: { BOOTSTRAP: "approve" },
      now: open.now() + 23 * hour,
    });
    t.after(() => relay.close());
    await renewedBy(relay, on, on.token);
    relay.advance(3 * day);
    assertRefused(await signed(relay, off, off.token), mustBeApproved);
    assert.equal((await boot(relay, off)).status, 202);
    await relay.admin(`/admin/devices/${off.id}/approve`, { method: "POST" });
    await renewedBy(relay, off, off.token);
  });

  it("(BOOTSTRAP=approve) under whose name a stranger asked waits for an admin; the stranger gets nothing", async (t) => {
    const approving = { later: { BOOTSTRAP: "approve" } };
    const { relay, device } = await meanwhile(t, approving);
    const stranger = makeDeviceKey();
    const body = { device_id: device.id, device_public_key: stranger.publicKey };
    assert.equal((await relay.call("/bootstrap", { body })).status, 202);
    assertRefused(await signed(relay, device, device.token), mustBeApproved);
    const theirs = { ...device, key: stranger };
    assertRefused(await signed(relay, theirs, device.token), badToken(/not the device's/));
    const again = { ...body, device_public_key: device.key.publicKey };
    assert.equal((await relay.call("/bootstrap", { body: again })).status, 202);
    const approved = await relay.admin(`/admin/devices/${device.id}/approve`, {
      body: { device_key_fingerprint: device.key.fingerprint },
    });
    assert.equal(approved.status, 200, approved.text);
    await works(relay, await renewedBy(relay, device, device.token));
  });

  it("(BOOTSTRAP=approve) that a code let in before counts as approved", async (t) => {
    const { relay, device } = await meanwhile(t, { later: { BOOTSTRAP: "approve" } });
    await works(relay, await renewedBy(relay, device, device.token));
  });

  it("(an organization that approves) must be approved there, though a code let it in elsewhere", async (t) => {
    const relay = await startInside({ env });
    t.after(() => relay.remove());
    await createOwners(relay, "acme", "ann");
    const put = await relay.admin("/admin/policies", {
      body: { scope: "organization", scope_id: "acme", bootstrap: "approve" },
    });
    assert.equal(put.status, 201, put.text);
    const device = await enroll(relay);
    // It asks to be of that organization, and waits there; its token works on meanwhile.
    const { body } = await relay.admin("/admin/enrollment-codes", {
      body: { organization_id: "acme" },
    });
    const asked = await relay.call("/bootstrap", {
      body: {
        device_id: device.id,
        device_public_key: device.key.publicKey,
        enrollment_code: body.enrollment_code,
      },
    });
    assert.equal(asked.status, 202, asked.text);
    const live = await renewedBy(relay, device, device.token);
    relay.advance(3 * day);
    assertRefused(await signed(relay, device, live), mustBeApproved);
    await relay.admin(`/admin/devices/${device.id}/approve`, { method: "POST" });
    await works(relay, await renewedBy(relay, device, live));
  });
});

describe("a device that was off, and two instances", {
  skip: postgresMissing || redisMissing,
}, () => {
  it("comes back at either; a token that one replaced is known for that to the other", async (t) => {
    const redis = new RedisServer();
    const [postgres] = await Promise.all([startPostgres(), redis.start()]);
    t.after(() => Promise.all([postgres.remove(), redis.remove()]));
    const { url } = await postgres.createDatabase();
    const shared = { ...env, REDIS_URL: redis.url, DATABASE_URL: url };
    const start = async (): Promise<InsideRelay> => {
      const relay = await startInside({ env: shared });
      t.after(() => relay.remove());
      return relay;
    };
    const [one, other] = [await start(), await start()];
    const pass = (ms: number): void => {
      one.advance(ms);
      other.advance(ms);
    };
    const device = await enroll(one);
    const { token } = device;
    pass(3 * day);
    const racing = await Promise.all([one, other].map((relay) => renewedBy(relay, device, token)));
    const [first = "", second = ""] = racing;
    assert.deepEqual(await outcomes(one, "device.replay", device), []);
    pass(hour);
    await renewedBy(other, device, token);
    assert.deepEqual(await outcomes(one, "device.replay", device), ["renewed"]);
    await renewedBy(one, device, second);
    pass(hour);
    assertRefused(await signed(other, device, token), badToken(/came back/));
    pass(3 * day);
    await setStatus(one, device, "disabled");
    assertRefused(await signed(other, device, second), forbidden(/disabled/));
    assertRefused(await refresh(other, first), expiredToken());
  });
});
