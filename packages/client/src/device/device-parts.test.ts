import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { configFolder } from "./config-folder.ts";
import { deviceIdPattern, newDeviceId, newIdentity, parseIdentity } from "./identity.ts";
import { startPulse, type TimeJump } from "./pulse.ts";
import { isPrivateHost, relayAddressFrom } from "./relay-address.ts";
import { backoffMs, refreshAt, refreshWindow } from "./renewal-rules.ts";
import { parseToken, serializeToken } from "./stored-token.ts";
import { systemRandom } from "./system-ports.ts";

const held = (lifetimeHours: number) => ({
  token: "a.b.c",
  deviceId: "test-device-1",
  issuedAt: 1_790_000_000_000,
  expiresAt: 1_790_000_000_000 + lifetimeHours * 3_600_000,
  proxyBaseUrl: "https://relay.example.com",
  clockOffset: 0,
});

describe("a device's identity", () => {
  it("survives being stored, and nothing else is taken for one", () => {
    const identity = newIdentity("test-device-1", systemRandom);
    const again = parseIdentity(identity.serialize());
    assert.equal(again?.publicKey, identity.publicKey);
    assert.equal(again?.fingerprint, identity.fingerprint);
    assert.match(identity.fingerprint, /^[0-9a-f]{4}(-[0-9a-f]{4}){3}$/);
    fc.assert(fc.property(fc.string(), (text) => parseIdentity(text) === undefined));
    for (const wrong of [{ device_id: "short" }, { seed: "AAAA" }, { seed: 7 }, { v: 2 }]) {
      const text = JSON.stringify({ ...JSON.parse(identity.serialize()), ...wrong });
      assert.equal(parseIdentity(text), undefined);
    }
  });

  it("signs the lines of the protocol, with a new nonce each time", () => {
    // The first key of RFC 8032, §7.1.
    const seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const random = { ...systemRandom, bytes: () => Buffer.from(seed, "hex") };
    const identity = newIdentity("test-device-1", random);
    const raw = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert.equal(identity.publicKey, Buffer.from(raw, "hex").toString("base64url"));
    const proof = identity.prove("abc", 1_790_000_000_999, systemRandom);
    assert.equal(proof.timestamp, 1_790_000_000);
    const hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const message = `claude-relay-refresh-v1\ntest-device-1\n1790000000\n${proof.nonce}\n${hash}`;
    const key = createPublicKey({
      key: { kty: "OKP", crv: "Ed25519", x: identity.publicKey },
      format: "jwk",
    });
    const signature = Buffer.from(proof.signature, "base64url");
    assert.ok(verify(null, Buffer.from(message), key, signature));
    assert.equal(proof.signature.length, 86);
    assert.match(proof.nonce, /^[A-Za-z0-9_-]{22}$/);
    assert.notEqual(identity.prove("abc", 1, systemRandom).nonce, proof.nonce);
  });

  it("has an id that is a random UUID", () => {
    const ids = Array.from({ length: 100 }, () => newDeviceId(systemRandom));
    assert.equal(new Set(ids).size, 100);
    for (const id of ids) {
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      assert.match(id, deviceIdPattern);
    }
  });
});

describe("a stored token", () => {
  it("survives being stored, and nothing else is taken for one", () => {
    assert.deepEqual(parseToken(serializeToken(held(24))), held(24));
    fc.assert(fc.property(fc.string(), (text) => parseToken(text) === undefined));
    fc.assert(fc.property(fc.json(), (text) => parseToken(text) === undefined));
    const whole = JSON.parse(serializeToken(held(24)));
    const wrong = { expires_at: "soon", issued_at: 9e15, token: "a b", proxy_base_url: null };
    for (const [field, value] of Object.entries(wrong)) {
      assert.equal(parseToken(JSON.stringify({ ...whole, [field]: value })), undefined, field);
    }
  });

  it("is renewed in its last hour, or its last third when it lives less than three hours", () => {
    assert.equal(refreshWindow(held(24)), 3_600_000);
    assert.equal(refreshWindow(held(3)), 3_600_000);
    assert.equal(refreshWindow(held(1)), 1_200_000);
    assert.equal(held(24).expiresAt - refreshAt(held(24), 0), 3_600_000);
    assert.equal(held(24).expiresAt - refreshAt(held(24), 0.5), 3_780_000);
  });
});

describe("backing off", () => {
  it("doubles from 2 s up to 5 min, at most half less by chance, and never less than was asked for", () => {
    assert.deepEqual(
      [1, 2, 3, 8, 9, 30, 2000].map((failures) => backoffMs(failures, 0)),
      [2_000, 4_000, 8_000, 256_000, 300_000, 300_000, 300_000],
    );
    assert.equal(backoffMs(3, 0.999) > 4_000, true);
    assert.equal(backoffMs(1, 0, 120), 120_000);
    assert.equal(backoffMs(1, 0, 86_400), 600_000);
  });
});

describe("the relay's address", () => {
  const from = (environment: Record<string, string>, relayUrl?: string) =>
    relayAddressFrom({ environment, relayUrl });

  it("comes from what is given, then PROXY_BOOTSTRAP_URL, then CLAUDE_RELAY_URL", () => {
    const all = {
      PROXY_BOOTSTRAP_URL: "http://localhost:3001/bootstrap",
      CLAUDE_RELAY_URL: "https://relay.example.com/",
    };
    assert.equal(
      from(all, "https://given.example.com/base/").relayUrl,
      "https://given.example.com/base",
    );
    assert.deepEqual(from(all), {
      relayUrl: "http://localhost:3001",
      healthUrl: "http://localhost:3001/healthz",
    });
    assert.equal(from({ ...all, PROXY_BOOTSTRAP_URL: " " }).relayUrl, "https://relay.example.com");
    const health = { ...all, PROXY_HEALTH_URL: "http://localhost:3001/health" };
    assert.equal(from(health).healthUrl, "http://localhost:3001/health");
    assert.throws(() => from({ ...all, PROXY_HEALTH_URL: "http://example.com" }), /public host/);
  });

  it("is private on this machine and in private networks only", () => {
    const near =
      "localhost a.localhost relay nas.local x.internal 127.1.2.3 10.1.1.1 172.16.0.1 172.31.9.9 192.168.0.1 100.64.0.1 100.127.0.1 169.254.1.1 [::1] [fd00::1] [fe80::1]";
    const far =
      "example.com localhost.evil.com 172.32.0.1 172.15.0.1 11.0.0.1 100.128.0.1 100.63.0.1 192.169.0.1 8.8.8.8 [2001:db8::1] [::ffff:8.8.8.8] 127.0.0.1.evil.com";
    for (const host of near.split(" ")) {
      assert.ok(isPrivateHost(host), host);
    }
    for (const host of far.split(" ")) {
      assert.ok(!isPrivateHost(new URL(`http://${host}`).hostname), host);
    }
  });
});

describe("the configuration folder", () => {
  it("is where each system keeps such things", () => {
    const of = configFolder;
    assert.equal(of({}, "linux", "/home/a"), "/home/a/.config/claude-relay");
    assert.equal(of({ XDG_CONFIG_HOME: "/x" }, "linux", "/home/a"), "/x/claude-relay");
    assert.equal(of({ XDG_CONFIG_HOME: "x" }, "linux", "/home/a"), "/home/a/.config/claude-relay");
    assert.match(
      of({}, "darwin", "/Users/a"),
      /^\/Users\/a\/Library\/Application Support\/claude-relay$/,
    );
  });
});

describe("the pulse", () => {
  it("tells a sleep and a clock that was set from time that passed", () => {
    const time = { wall: 0, monotonic: 0 };
    let fire = (): void => undefined;
    let wait = 0;
    const jumps: (TimeJump | null)[] = [];
    const end = startPulse({
      clock: { now: () => time.wall, monotonicMs: () => time.monotonic },
      timers: {
        after: (milliseconds, work) => {
          wait = milliseconds;
          fire = work;
          return () => undefined;
        },
      },
      next: () => Number.POSITIVE_INFINITY,
      onPulse: (jump) => jumps.push(jump),
    });
    const pass = (wall: number, monotonic: number): void => {
      time.wall += wall;
      time.monotonic += monotonic;
      fire();
    };
    assert.equal(wait, 30_000);
    pass(30_000, 30_000);
    pass(31_500, 30_000);
    pass(30_000 + 3_600_000, 30_000);
    pass(30_000 - 3_600_000, 30_000);
    // A monotonic clock that goes on in sleep.
    pass(3_600_000, 3_600_000);
    end();
    assert.deepEqual(jumps, [
      null,
      null,
      { kind: "ahead", milliseconds: 3_600_000 },
      { kind: "back", milliseconds: 3_600_000 },
      { kind: "ahead", milliseconds: 3_540_000 },
    ]);
  });
});
