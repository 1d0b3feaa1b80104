/** A device with a key of its own: a stolen token of it cannot be renewed. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { makeDeviceKey, type Proof } from "./harness/device-key.ts";
import { type Answer, type InsideRelay, startInside } from "./harness/inside.ts";
import { assertRefused, badToken, expiredToken, forbidden, invalid } from "./harness/refused.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const boot = (relay: InsideRelay, device_id: string, publicKey?: string, more: object = {}) =>
  relay.call("/bootstrap", {
    body: { device_id, ...(publicKey && { device_public_key: publicKey }), ...more },
  });

const refresh = (relay: InsideRelay, token: string, body?: Partial<Proof>): Promise<Answer> =>
  relay.call("/refresh", { method: "POST", token, ...(body && { body }) });

const audited = async (relay: InsideRelay, action: string, subject: string) => {
  const { body } = await relay.admin(`/admin/audit?action=${action}&subject=${subject}`);
  return body.data as { outcome: string; detail: Record<string, unknown> }[];
};

describe("a device with a key", () => {
  let relay: InsideRelay;
  let count = 0;

  before(async () => {
    relay = await startInside();
  });
  after(() => relay.remove());

  const enroll = async () => {
    count += 1;
    const id = `keyed-device-${count}`;
    const key = makeDeviceKey();
    const { status, body } = await boot(relay, id, key.publicKey);
    assert.equal(status, 200);
    return { id, key, token: body.wrapper_token as string };
  };

  it("renews its token with its signature; the old one works for 60 s more", async () => {
    const { id, key, token } = await enroll();
    const answer = await refresh(relay, token, key.proof(id, token, relay.now()));
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(Object.keys(answer.body), ["wrapper_token", "proxy_base_url", "expires_at"]);
    const fresh = answer.body.wrapper_token;
    assert.notEqual(fresh, token);
    assert.equal((await relay.ask(fresh)).status, 200);
    assert.equal((await relay.ask(token)).status, 200);
    const again = await refresh(relay, fresh, key.proof(id, fresh, relay.now()));
    assert.equal(again.status, 200);
  });

  it("cannot renew it without, and the token itself lives on", async () => {
    const { id, token } = await enroll();
    for (const body of [undefined, {}, { timestamp: 1, nonce: "a".repeat(22) }]) {
      assertRefused(await refresh(relay, token, body), badToken(/registered a key.*signature/));
    }
    const rows = await audited(relay, "device.refresh", id);
    assert.deepEqual(new Set(rows.map(({ outcome }) => outcome)), new Set(["credential_invalid"]));
    assert.equal((await relay.ask(token)).status, 200);
  });

  it("is not believed with any other signature", async () => {
    const { id, key, token } = await enroll();
    const now = relay.now();
    const good = key.proof(id, token, now);
    const other = await enroll();
    const wrong: Record<string, Proof> = {
      "another device's": other.key.proof(id, token, now),
      "for another device": key.proof(other.id, token, now),
      "for another token": key.proof(id, other.token, now),
      "for another time": { ...good, timestamp: good.timestamp + 1 },
      "for another nonce": { ...good, nonce: "b".repeat(22) },
      "cut short": { ...good, signature: good.signature.slice(0, -1) },
      longer: { ...good, signature: `${good.signature}AA` },
      padded: { ...good, signature: `${good.signature}==` },
      empty: { ...good, signature: "" },
      zero: { ...good, signature: Buffer.alloc(64).toString("base64url") },
    };
    for (const [what, proof] of Object.entries(wrong)) {
      const answer = await refresh(relay, token, proof);
      assert.equal(answer.status, 401, what);
      assertRefused(answer, badToken(/signature is not the device's/));
    }
    assert.equal((await refresh(relay, token, good)).status, 200);
  });

  it("is told what is wrong with a malformed proof", async () => {
    const { id, key, token } = await enroll();
    const good = key.proof(id, token, relay.now());
    const bad: [string, object][] = [
      ["timestamp", { ...good, timestamp: String(good.timestamp) }],
      ["timestamp", { ...good, timestamp: good.timestamp + 0.5 }],
      ["timestamp", { ...good, timestamp: -1 }],
      ["nonce", { ...good, nonce: "short" }],
      ["nonce", { ...good, nonce: "n".repeat(129) }],
      ["nonce", { ...good, nonce: 7 }],
      ["signature", { ...good, signature: 7 }],
      ["signature", { ...good, signature: "s".repeat(257) }],
    ];
    for (const [field, body] of bad) {
      const answer = await refresh(relay, token, body);
      assertRefused(answer, invalid(new RegExp(`^${field}: `)));
    }
  });

  it("may have a clock up to 300 s off; further off it is told the time", async () => {
    const { id, key, token } = await enroll();
    const second = Math.floor(relay.now() / 1000);
    for (const timestamp of [second - 301, second + 301, 0]) {
      const answer = await refresh(relay, token, key.proof(id, token, 0, { timestamp }));
      assertRefused(answer, badToken(new RegExp(`too far off: it is .*\\(${second}\\)`)));
      assert.equal(Date.parse(answer.headers.get("date") ?? ""), second * 1000);
    }
    for (const timestamp of [second - 299, second + 300]) {
      const answer = await refresh(relay, token, key.proof(id, token, 0, { timestamp }));
      assert.equal(answer.status, 200, answer.text);
    }
  });

  it("may use a nonce once: a request that was listened to cannot be sent again", async () => {
    const { id, key, token } = await enroll();
    const proof = key.proof(id, token, relay.now());
    const racing = await Promise.all([1, 2, 3].map(() => refresh(relay, token, proof)));
    assert.deepEqual(racing.map(({ status }) => status).sort(), [200, 401, 401]);
    relay.advance(59_000);
    assertRefused(await refresh(relay, token, proof), badToken(/nonce was used/));
    const next = key.proof(id, token, relay.now());
    assert.equal((await refresh(relay, token, next)).status, 200);
  });

  /** A device whose token was replaced long ago, and the token it has now. */
  const renewed = async () => {
    const device = await enroll();
    const { id, key, token: old } = device;
    const { body } = await refresh(relay, old, key.proof(id, old, relay.now()));
    relay.advance(60_000);
    return { ...device, old, fresh: body.wrapper_token as string };
  };
  type Device = Awaited<ReturnType<typeof enroll>>;
  /** Renews with the device's signature. */
  const signed = ({ id, key }: Device, token: string): Promise<Answer> =>
    refresh(relay, token, key.proof(id, token, relay.now()));
  const replays = async ({ id }: Device) =>
    (await audited(relay, "device.replay", id)).map(({ outcome, detail }) => [
      outcome,
      detail["proved"],
    ]);
  const cameBack = badToken(/came back: every token of this device has been revoked/);
  const ended = expiredToken(/every token of this device has ended.*Please refresh/);

  it("a copy of its replaced token, unsigned, ends every token; its signature brings it back in", async () => {
    const device = await renewed();
    const { old, fresh } = device;
    assertRefused(await relay.ask(old), expiredToken(/replaced/));
    assert.equal((await relay.ask(fresh)).status, 200, "use alone ends nothing");
    assertRefused(await refresh(relay, old), cameBack);
    assertRefused(await relay.ask(fresh), ended);
    assert.deepEqual(await replays(device), [["revoked", false]]);
    const { status, body, text } = await signed(device, fresh);
    assert.equal(status, 200, text);
    assert.equal((await relay.ask(body.wrapper_token)).status, 200);
    assertRefused(await relay.ask(fresh), ended);
  });

  it("is not signed out again and again by the same copies", async () => {
    const device = await renewed();
    const { old, fresh } = device;
    await refresh(relay, old);
    const { wrapper_token: own } = (await signed(device, fresh)).body;
    const stranger = makeDeviceKey();
    for (const copy of [old, fresh, old]) {
      relay.advance(61_000);
      assertRefused(await refresh(relay, copy), cameBack);
      const foreign = stranger.proof(device.id, copy, relay.now());
      assertRefused(await refresh(relay, copy, foreign), cameBack);
      assert.equal((await relay.ask(own)).status, 200);
    }
    const outcomes = (await replays(device)).map(([outcome]) => outcome);
    assert.deepEqual(outcomes, [...Array(6).fill("refused"), "renewed", "revoked"]);
  });

  it("a thief with its live token, but not its key, loses that token too and cannot get another", async () => {
    const device = await renewed();
    const { old, fresh: stolen } = device;
    assertRefused(await refresh(relay, stolen), badToken(/registered a key/));
    assert.equal((await relay.ask(stolen)).status, 200);
    await refresh(relay, old);
    assertRefused(await relay.ask(stolen), ended);
    for (const body of [undefined, makeDeviceKey().proof(device.id, stolen, relay.now())]) {
      assertRefused(await refresh(relay, stolen, body), cameBack);
    }
    assert.equal((await signed(device, stolen)).status, 200);
    assertRefused(await relay.ask(stolen), ended);
  });

  it("that never had the answer to its last renewal signs with the token before, and nothing ends", async () => {
    const device = await renewed();
    const { old, fresh: lost } = device;
    relay.advance(3_600_000);
    const answer = await signed(device, old);
    assert.equal(answer.status, 200, answer.text);
    const own = answer.body.wrapper_token;
    assert.equal((await relay.ask(own)).status, 200);
    assert.equal((await relay.ask(lost)).status, 200, "another of its processes may have it");
    assert.deepEqual(await replays(device), [["renewed", true]]);
    const [row] = await audited(relay, "device.refresh", device.id);
    assert.equal(row?.outcome, "ok");
    // And once more, should that answer be lost as well.
    assert.equal((await signed(device, old)).status, 200);
  });

  it("whoever has its key and an older token is refused, and the device goes on with its newest", async () => {
    const device = await renewed();
    const { old: oldest, fresh } = device;
    const { wrapper_token: newest } = (await signed(device, fresh)).body;
    relay.advance(60_000);
    assertRefused(await signed(device, oldest), cameBack);
    assert.deepEqual(await replays(device), [["revoked", true]]);
    assertRefused(await relay.ask(newest), ended);
    const { status, body } = await signed(device, newest);
    assert.equal(status, 200);
    for (const copy of [oldest, fresh]) {
      assertRefused(await signed(device, copy), cameBack);
    }
    assert.equal((await relay.ask(body.wrapper_token)).status, 200);
  });

  it("an admin's revocation stands: no signature brings any token back", async () => {
    const device = await renewed();
    const { id, old, fresh } = device;
    await refresh(relay, old);
    relay.advance(1_000);
    await relay.admin(`/admin/devices/${id}/revoke-tokens`, { method: "POST" });
    for (const token of [old, fresh]) {
      assertRefused(await signed(device, token), badToken(/revoked/));
      assertRefused(await relay.ask(token), badToken(/revoked/));
    }
    const again = await boot(relay, id, device.key.publicKey);
    assert.equal((await relay.ask(again.body.wrapper_token)).status, 200);
  });

  it("a renewal that was listened to and is sent again after the grace gets nothing", async () => {
    const { id, key, token } = await enroll();
    const proof = key.proof(id, token, relay.now());
    const { wrapper_token: own } = (await refresh(relay, token, proof)).body;
    relay.advance(61_000);
    assertRefused(await refresh(relay, token, proof), cameBack);
    assert.equal((await refresh(relay, own, key.proof(id, own, relay.now()))).status, 200);
    // Later still its time is over, which ends nothing at all.
    relay.advance(300_000);
    assertRefused(await refresh(relay, token, proof), badToken(/too far off/));
  });

  it("what ended is as it was after a restart", async (t) => {
    const dataDir = tempFolder(t);
    const first = await startInside({ dataDir });
    const [key, id] = [makeDeviceKey(), "restarted-device"];
    const token = (await boot(first, id, key.publicKey)).body.wrapper_token;
    const next = await refresh(first, token, key.proof(id, token, first.now()));
    const fresh = next.body.wrapper_token;
    first.advance(61_000);
    assert.equal((await refresh(first, token)).status, 401);
    await first.close();
    const second = await startInside({ dataDir, now: first.now() });
    t.after(() => second.close());
    assertRefused(await second.ask(fresh), ended);
    const answer = await refresh(second, fresh, key.proof(id, fresh, second.now()));
    assert.equal(answer.status, 200, answer.text);
    assert.equal((await second.ask(answer.body.wrapper_token)).status, 200);
  });

  it("that lost the answer and whose clock is wrong is told the time, and loses nothing", async () => {
    const { id, key, token } = await enroll();
    const lost = await refresh(relay, token, key.proof(id, token, relay.now()));
    relay.advance(120_000);
    const timestamp = Math.floor(relay.now() / 1000) - 400;
    const late = await refresh(relay, token, key.proof(id, token, 0, { timestamp }));
    assertRefused(late, badToken(/too far off/));
    assert.equal((await relay.ask(lost.body.wrapper_token)).status, 200);
    const answer = await refresh(relay, token, key.proof(id, token, relay.now()));
    assert.equal(answer.status, 200, answer.text);
  });

  it("shows its fingerprint to admins, and never the key itself", async () => {
    const { id, key } = await enroll();
    const { body, text } = await relay.admin(`/admin/devices/${id}`);
    assert.equal(body.device_key_fingerprint, key.fingerprint);
    assert.equal(body.waiting_key_fingerprint, null);
    assert.ok(!text.includes(key.publicKey));
    await relay.bootstrap("keyless-device");
    const keyless = await relay.admin("/admin/devices/keyless-device");
    assert.equal(keyless.body.device_key_fingerprint, null);
  });

  it("may bring another key on this machine, which is audited; without one it keeps its own", async () => {
    const { id, key } = await enroll();
    assert.equal((await boot(relay, id)).status, 200);
    assert.deepEqual(await audited(relay, "device.key_change", id), []);
    const other = makeDeviceKey();
    const { body } = await boot(relay, id, other.publicKey);
    const token = body.wrapper_token;
    const [change] = await audited(relay, "device.key_change", id);
    assert.deepEqual(change?.detail, { from: key.fingerprint, to: other.fingerprint });
    assert.equal((await refresh(relay, token, key.proof(id, token, relay.now()))).status, 401);
    assert.equal((await refresh(relay, token, other.proof(id, token, relay.now()))).status, 200);
  });

  it("is refused with what is no key", async () => {
    const smallOrder = Buffer.alloc(32).toString("base64url");
    const order2 = Buffer.from(`ec${"ff".repeat(31)}`, "hex").toString("base64url");
    const nearly = `${makeDeviceKey().publicKey.slice(0, 42)}B`;
    for (const key of ["MCowBQYDK2VwAyEA", "x".repeat(44), smallOrder, order2, nearly]) {
      const answer = await boot(relay, "bad-key-device", key);
      assertRefused(answer, invalid(/device_public_key.*32 raw bytes/));
    }
    assert.equal((await relay.admin("/admin/devices/bad-key-device")).status, 404);
  });

  it("needs no signature when it never had a key", async () => {
    const token = await relay.bootstrap("old-client-device");
    assert.equal((await refresh(relay, token)).status, 200);
    assert.equal((await refresh(relay, token, {})).status, 200);
  });

  it("without one, a replaced token that comes back ends every token for good", async () => {
    const old = await relay.bootstrap("keyless-replayed");
    const fresh = (await refresh(relay, old)).body.wrapper_token;
    relay.advance(60_000);
    assertRefused(await refresh(relay, old), cameBack);
    assertRefused(await relay.ask(fresh), badToken(/was revoked. Enroll again/));
    assertRefused(await refresh(relay, fresh), badToken(/was revoked/));
    const [replay] = await audited(relay, "device.replay", "keyless-replayed");
    assert.deepEqual([replay?.outcome, replay?.detail["proved"]], ["revoked", false]);
  });
});

describe("DEVICE_KEYS=required", () => {
  it("gives tokens to devices with a key only, also to those from before", async (t) => {
    const dataDir = tempFolder(t);
    const before = await startInside({ dataDir });
    const keyless = await before.bootstrap("device-from-before");
    await before.close();
    const relay = await startInside({
      dataDir,
      env: { DEVICE_KEYS: "required" },
      now: before.now(),
    });
    t.after(() => relay.close());
    const needsKey = forbidden(/device_public_key is required.*DEVICE_KEYS=required/);
    assertRefused(await boot(relay, "device-without-key"), needsKey);
    assertRefused(await boot(relay, "device-from-before"), needsKey);
    assert.equal((await relay.ask(keyless)).status, 200);
    assertRefused(await refresh(relay, keyless), badToken(/no key.*DEVICE_KEYS=required/));
    const key = makeDeviceKey();
    assert.equal((await boot(relay, "device-from-before", key.publicKey)).status, 200);
    assert.equal((await boot(relay, "device-from-before")).status, 200);
  });

  it("does not spend a code on a device without one", async (t) => {
    const relay = await startInside({ env: { DEVICE_KEYS: "required", BOOTSTRAP: "code" } });
    t.after(() => relay.remove());
    const { body } = await relay.admin("/admin/enrollment-codes", { body: {} });
    const code = { enrollment_code: body.enrollment_code };
    assert.equal((await boot(relay, "device-with-code", undefined, code)).status, 403);
    const { publicKey } = makeDeviceKey();
    assert.equal((await boot(relay, "device-with-code", publicKey, code)).status, 200);
  });
});

describe("a device with a key that waits for approval", () => {
  let relay: InsideRelay;

  before(async () => {
    relay = await startInside({ env: { BOOTSTRAP: "approve" } });
  });
  after(() => relay.remove());

  const approve = (id: string, fingerprint?: string) =>
    relay.admin(`/admin/devices/${id}/approve`, {
      method: "POST",
      ...(fingerprint && { body: { device_key_fingerprint: fingerprint } }),
    });

  it("is approved by its fingerprint, and the token goes to that key alone", async () => {
    const [key, thief] = [makeDeviceKey(), makeDeviceKey()];
    const id = "approved-device";
    assert.equal((await boot(relay, id, key.publicKey)).status, 202);
    assert.equal((await approve(id, key.fingerprint)).status, 200);
    assert.equal((await boot(relay, id)).status, 403);
    assert.equal((await boot(relay, id, thief.publicKey)).status, 202);
    const other = await approve(id, key.fingerprint);
    assert.equal(other.status, 409);
    assert.match(other.text, /Another key waits/);
    assert.equal((await boot(relay, id, key.publicKey)).status, 202);
    assert.equal((await approve(id, key.fingerprint)).status, 200);
    assert.equal((await boot(relay, id, key.publicKey)).status, 200);
  });

  it("keeps the key it is in with, whoever asks by its name", async () => {
    const [key, stranger] = [makeDeviceKey(), makeDeviceKey()];
    const id = "settled-device";
    await boot(relay, id, key.publicKey);
    await approve(id);
    const { body } = await boot(relay, id, key.publicKey);
    const token = body.wrapper_token;
    relay.advance(1000);
    assert.equal((await boot(relay, id, stranger.publicKey)).status, 202);
    const row = (await relay.admin(`/admin/devices/${id}`)).body;
    assert.equal(row.device_key_fingerprint, key.fingerprint);
    assert.equal(row.waiting_key_fingerprint, stranger.fingerprint);
    const renewed = await refresh(relay, token, key.proof(id, token, relay.now()));
    assert.equal(renewed.status, 200);
    assert.deepEqual(await audited(relay, "device.key_change", id), []);
    await approve(id, stranger.fingerprint);
    assert.equal((await boot(relay, id, stranger.publicKey)).status, 200);
    const changed = (await relay.admin(`/admin/devices/${id}`)).body;
    assert.equal(changed.device_key_fingerprint, stranger.fingerprint);
    assert.equal(changed.waiting_key_fingerprint, null);
    assert.equal((await audited(relay, "device.key_change", id)).length, 1);
  });

  it("refuses a fingerprint that is none", async () => {
    await boot(relay, "odd-approval", makeDeviceKey().publicKey);
    assertRefused(await approve("odd-approval", "AB12"), invalid(/device_key_fingerprint: /));
  });
});
