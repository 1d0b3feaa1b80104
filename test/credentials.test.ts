/** Who gets through with which credential, for how long, and what ends it. */
import assert from "node:assert/strict";
import { createHash, createHmac, generateKeyPairSync, sign } from "node:crypto";
import { after, afterEach, before, describe, it } from "node:test";
import { type InsideRelay, startInside } from "./harness/inside.ts";
import {
  assertRefused,
  assertUpstreamUnasked,
  badToken,
  expiredToken,
  forbidden,
  type Refused,
} from "./harness/refused.ts";
import { jwtSecret } from "./harness/secrets.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const hour = 3_600_000;
const device = "test-device-0001";

describe("credentials that are turned away before upstream is called", () => {
  let relay: InsideRelay;
  let token: string;

  before(async () => {
    relay = await startInside({ env: { IP_RATE_LIMIT_MAX: "100000" } });
    token = await relay.bootstrap(device);
  });
  after(() => relay.remove());
  afterEach(() => assertUpstreamUnasked(relay));

  const kid = createHash("sha256")
    .update(`claude-relay kid ${jwtSecret}`)
    .digest("hex")
    .slice(0, 16);
  const encode = (part: unknown): string =>
    Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url");
  const claims = () => {
    const now = Math.floor(relay.now() / 1000);
    return {
      iss: "claude-relay",
      aud: "claude-relay",
      sub: device,
      jti: "0b8f7a52-5c1c-4f0e-9d0a-6a3f5f1f2a10",
      iat: now,
      exp: now + 3600,
    };
  };
  const header = { alg: "HS256", typ: "JWT", kid };
  const hs = (
    head: unknown,
    body: unknown,
    key: string | Buffer = jwtSecret,
    digest = "sha256",
  ): string => {
    const signed = `${encode(head)}.${encode(body)}`;
    return `${signed}.${createHmac(digest, key).update(signed).digest("base64url")}`;
  };
  const without = (name: string) =>
    Object.fromEntries(Object.entries(claims()).filter(([key]) => key !== name));

  it("(the forge is good: with nothing wrong its token passes)", async () => {
    const answer = await relay.ask(hs(header, claims()));
    assert.equal(answer.status, 200);
    relay.simulator.reset();
  });

  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const forged: readonly [what: string, forge: () => string][] = [
    ["that is no token", () => "hello"],
    ["with two parts", () => "eyJhbGciOiJIUzI1NiJ9.e30"],
    ["of another secret", () => hs(header, claims(), "x".repeat(48))],
    ["of an empty secret", () => hs(header, claims(), "")],
    ["whose claims were changed", () => changed(token, { sub: "another-device" })],
    ["for another audience", () => hs(header, { ...claims(), aud: "someone-else" })],
    ["for no audience", () => hs(header, without("aud"))],
    ["from another issuer", () => hs(header, { ...claims(), iss: "someone-else" })],
    ["from no issuer", () => hs(header, without("iss"))],
    ["without expiry", () => hs(header, without("exp"))],
    ["with an expiry in words", () => hs(header, { ...claims(), exp: "tomorrow" })],
    ["without a device", () => hs(header, without("sub"))],
    ["without an id", () => hs(header, without("jti"))],
    ["without a time of issue", () => hs(header, without("iat"))],
    ["not valid yet", () => hs(header, { ...claims(), nbf: claims().iat + 600 })],
    ["of an unknown device", () => hs(header, { ...claims(), sub: "never-enrolled" })],
    [
      "signed with nothing (alg none)",
      () => `${encode({ alg: "none", kid })}.${encode(claims())}.`,
    ],
    ["alg None", () => `${encode({ alg: "None", kid })}.${encode(claims())}.`],
    ["alg none with a signature", () => hs({ ...header, alg: "none" }, claims())],
    ["HS512 by our secret", () => hs({ ...header, alg: "HS512" }, claims(), jwtSecret, "sha512")],
    ["HS384 by our secret", () => hs({ ...header, alg: "HS384" }, claims(), jwtSecret, "sha384")],
    [
      "RS256",
      () => {
        const signed = `${encode({ ...header, alg: "RS256" })}.${encode(claims())}`;
        return `${signed}.${sign("sha256", Buffer.from(signed), rsa.privateKey).toString("base64url")}`;
      },
    ],
    ["without an algorithm", () => hs({ kid }, claims())],
    ["without a key id", () => hs({ alg: "HS256" }, claims())],
    ["with an unknown key id", () => hs({ ...header, kid: "0000000000000000" }, claims())],
    ["with a path as key id", () => hs({ ...header, kid: "../../../../dev/null" }, claims(), "")],
    ["with SQL as key id", () => hs({ ...header, kid: "' UNION SELECT 'k" }, claims(), "k")],
    ["with a key id of every object", () => hs({ ...header, kid: "__proto__" }, claims(), "")],
    [
      "with an address of keys",
      () => hs({ alg: "HS256", jku: "http://evil.test/keys" }, claims(), "k"),
    ],
    [
      "with its own key",
      () =>
        hs(
          { alg: "HS256", jwk: { kty: "oct", k: encode("k".repeat(32)) } },
          claims(),
          "k".repeat(32),
        ),
    ],
    ["with an unknown critical header", () => hs({ ...header, crit: ["x"], x: 1 }, claims())],
    ["with an unencoded payload", () => hs({ ...header, crit: ["b64"], b64: false }, claims())],
    ["with an array of claims", () => hs(header, [claims()])],
    ["of 20 KB", () => `${token}${"A".repeat(20_000)}`],
    ["with a blank in it", () => token.replace(".", " .")],
  ];
  for (const [what, forge] of forged) {
    it(`a token ${what}`, async () => {
      assertRefused(await relay.ask(forge()), badToken(/token|device/));
      const inKey = await relay.call("/v1/models", { headers: { "x-api-key": forge() } });
      assertRefused(inKey, badToken(/token|device/));
      assertRefused(
        await relay.call("/refresh", { method: "POST", token: forge() }),
        badToken(/./),
      );
    });
  }

  it("a token whose signature differs in its last character", async () => {
    const last = token.at(-1) === "A" ? "Q" : "A";
    assertRefused(await relay.ask(token.slice(0, -1) + last), badToken());
  });

  const missing: readonly [what: string, headers: Record<string, string>, wanted: Refused][] = [
    ["none at all", {}, badToken(/A credential is required.*'Authorization: Bearer <token>'/)],
    ["Basic", { authorization: "Basic YTpi" }, badToken(/must read 'Bearer <token>'/)],
    ["Bearer and nothing", { authorization: "Bearer " }, expiredToken(/is empty\. Please refresh/)],
    ["an empty x-api-key", { "x-api-key": "" }, expiredToken(/is empty\. Please refresh/)],
    ["the prefix alone", { "x-api-key": "sk-ant-proxy-" }, expiredToken(/is empty/)],
    ["a key of Anthropic's", { "x-api-key": "sk-ant-api03-abc" }, badToken()],
  ];
  for (const [what, headers, wanted] of missing) {
    it(`a credential that is ${what}`, async () => {
      assertRefused(await relay.call("/v1/models", { headers }), wanted);
    });
  }

  it("two different credentials, even when one of them is good", async () => {
    for (const headers of [
      { authorization: `Bearer ${token}`, "x-api-key": "another" },
      { authorization: "Bearer another", "x-api-key": token },
    ]) {
      const answer = await relay.call("/v1/models", { headers });
      assertRefused(answer, badToken(/two different credentials/));
    }
  });
});

/** A token with other claims and the old signature. */
const changed = (token: string, changes: object): string => {
  const [head, payload = "", signature] = token.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
  return [
    head,
    Buffer.from(JSON.stringify({ ...claims, ...changes })).toString("base64url"),
    signature,
  ].join(".");
};

describe("credentials", () => {
  let relay: InsideRelay;
  let token: string;

  before(async () => {
    relay = await startInside({ env: { IP_RATE_LIMIT_MAX: "100000" } });
    token = await relay.bootstrap(device);
  });
  after(() => relay.remove());

  it("pass in either header, in both when the same, with and without the prefix", async () => {
    const prefixed = `sk-ant-proxy-${token}`;
    for (const headers of [
      { authorization: `Bearer ${token}` },
      { authorization: `bearer ${token}` },
      { authorization: `Bearer ${prefixed}` },
      { "x-api-key": token },
      { "x-api-key": prefixed },
      { authorization: `Bearer ${token}`, "x-api-key": token },
      { authorization: `Bearer ${prefixed}`, "x-api-key": token },
      { authorization: `Bearer ${token}`, "x-api-key": prefixed },
    ]) {
      const answer = await relay.call("/v1/models", {
        headers: { ...headers, "anthropic-version": "2023-06-01" },
      });
      assert.equal(answer.status, 200, answer.text);
    }
    for (const { headers } of relay.simulator.log) {
      assert.equal(headers.authorization, undefined);
      assert.equal(headers["x-api-key"], "sk-ant-test-master-key-0001");
    }
  });

  it("expire, and the answer makes clients fetch a new one", async () => {
    const own = await relay.bootstrap("expiring-device");
    relay.advance(24 * hour - 2000);
    assert.equal((await relay.ask(own)).status, 200);
    relay.advance(2000);
    assertRefused(await relay.ask(own), expiredToken());
    assertRefused(await relay.call("/refresh", { method: "POST", token: own }), expiredToken());
    assertRefused(await relay.call("/admin/usage", { token: own }), expiredToken());
    token = await relay.bootstrap(device);
  });

  it("carry the device's policy, for clients to read", async () => {
    await relay.bootstrap("policy-device");
    const body = { models: ["claude-haiku-*"], requests_per_minute: 7 };
    await relay.admin("/admin/devices/policy-device", { method: "PATCH", body });
    const [, payload = ""] = (await relay.bootstrap("policy-device")).split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
    assert.deepEqual(claims.models, ["claude-haiku-*"]);
    assert.equal(claims.requests_per_minute, 7);
    assert.equal(claims.sub, "policy-device");
  });

  describe("of a device that an admin", () => {
    const patch = (id: string, status: string) =>
      relay.admin(`/admin/devices/${id}`, { method: "PATCH", body: { status } });

    it("disables are refused with 403 at the very next request, and work again when enabled", async () => {
      const own = await relay.bootstrap("disabled-device");
      assert.equal((await relay.ask(own)).status, 200);
      await patch("disabled-device", "disabled");
      assertRefused(await relay.ask(own), forbidden(/This device is disabled\. Ask the operator/));
      const refresh = await relay.call("/refresh", { method: "POST", token: own });
      assertRefused(refresh, forbidden(/disabled/));
      const again = await relay.call("/bootstrap", { body: { device_id: "disabled-device" } });
      assertRefused(again, forbidden(/disabled/));
      await patch("disabled-device", "active");
      assert.equal((await relay.ask(own)).status, 200);
    });

    it("revokes are refused with 401 at the very next request, and stay dead when it is enabled", async () => {
      const own = await relay.bootstrap("revoked-device");
      assert.equal((await relay.ask(own)).status, 200);
      await patch("revoked-device", "revoked");
      assertRefused(await relay.ask(own), badToken(/This device was revoked/));
      const refresh = await relay.call("/refresh", { method: "POST", token: own });
      assertRefused(refresh, badToken(/revoked/));
      const again = await relay.call("/bootstrap", { body: { device_id: "revoked-device" } });
      assertRefused(again, forbidden(/revoked/));
      await patch("revoked-device", "active");
      assertRefused(await relay.ask(own), badToken(/This token was revoked/));
      assert.equal((await relay.ask(await relay.bootstrap("revoked-device"))).status, 200);
    });

    it("ends the tokens of are refused, and a token made in the same second works", async () => {
      const own = await relay.bootstrap("tokens-device");
      assert.equal((await relay.ask(own)).status, 200);
      await relay.admin("/admin/devices/tokens-device/revoke-tokens", { method: "POST" });
      assertRefused(await relay.ask(own), badToken(/This token was revoked/));
      assert.equal((await relay.ask(await relay.bootstrap("tokens-device"))).status, 200);
    });
  });

  it("survive a race of enrollment and revocation: the revocation wins", async () => {
    await relay.bootstrap("raced-device");
    const revoked = relay.admin("/admin/devices/raced-device", {
      method: "PATCH",
      body: { status: "revoked" },
    });
    const boots = Array.from({ length: 20 }, () =>
      relay.call("/bootstrap", { body: { device_id: "raced-device" } }),
    );
    assert.equal((await revoked).status, 200);
    const tokens = (await Promise.all(boots)).flatMap(({ body }) => body.wrapper_token ?? []);
    const { body } = await relay.admin("/admin/devices/raced-device");
    assert.equal(body.status, "revoked");
    for (const own of tokens) {
      assert.equal((await relay.call("/v1/models", { token: own })).status, 401);
    }
  });

  describe("renewed at /refresh", () => {
    const refresh = (own: string) => relay.call("/refresh", { method: "POST", token: own });

    it("are new at once; the old one works for 60 s more and then dies", async () => {
      const old = await relay.bootstrap("refreshing-device");
      const answer = await refresh(old);
      assert.equal(answer.status, 200);
      assert.deepEqual(Object.keys(answer.body), ["wrapper_token", "proxy_base_url", "expires_at"]);
      const fresh = answer.body.wrapper_token;
      assert.notEqual(fresh, old);
      assert.equal((await relay.ask(fresh)).status, 200);
      assert.equal((await relay.ask(old)).status, 200);
      relay.advance(59_999);
      assert.equal((await relay.ask(old)).status, 200);
      relay.advance(1);
      assertRefused(await relay.ask(old), expiredToken(/replaced at \/refresh/));
      assert.equal((await relay.ask(fresh)).status, 200);
      // Brought back at /refresh, it is a copy in other hands.
      assertRefused(await refresh(old), badToken(/came back/));
      assertRefused(await relay.ask(fresh), badToken(/revoked/));
    });

    it("do not let a replay lengthen the old one's grace", async () => {
      const old = await relay.bootstrap("replaying-device");
      assert.equal((await refresh(old)).status, 200);
      relay.advance(50_000);
      assert.equal((await refresh(old)).status, 200);
      relay.advance(10_000);
      assertRefused(await relay.ask(old), expiredToken(/replaced/));
    });

    it("take the prefix and either header too", async () => {
      const own = await relay.bootstrap("prefixed-device");
      const answer = await relay.call("/refresh", {
        method: "POST",
        headers: { "x-api-key": `sk-ant-proxy-${own}` },
      });
      assert.equal(answer.status, 200);
    });
  });
});

describe("what a restart keeps", () => {
  const start = (dataDir: string, env: Record<string, string> = {}, now?: number) =>
    startInside({ dataDir, env, ...(now !== undefined && { now }) });

  it("devices, revocations and replaced tokens", async (t) => {
    const dataDir = tempFolder(t);
    const first = await start(dataDir);
    const kept = await first.bootstrap("kept-device");
    const revoked = await first.bootstrap("revoked-device");
    const old = await first.bootstrap("renewed-device");
    const { body } = await first.call("/refresh", { method: "POST", token: old });
    await first.admin("/admin/devices/revoked-device/revoke-tokens", { method: "POST" });
    await first.close();
    const second = await start(dataDir, {}, first.now() + 61_000);
    assert.equal((await second.ask(kept)).status, 200);
    assert.equal((await second.ask(body.wrapper_token)).status, 200);
    assertRefused(await second.ask(revoked), badToken(/revoked/));
    assertRefused(await second.ask(old), expiredToken(/replaced/));
    await second.close();
  });

  it("tokens over a rotation of the secret while JWT_SECRET_PREVIOUS names the old one", async (t) => {
    const dataDir = tempFolder(t);
    const first = await start(dataDir);
    const token = await first.bootstrap();
    await first.close();
    const next = "the-next-jwt-secret-0123456789abcdef0123456789";
    const rotated = await start(dataDir, { JWT_SECRET: next, JWT_SECRET_PREVIOUS: jwtSecret });
    assert.equal((await rotated.ask(token)).status, 200);
    const { body } = await rotated.call("/refresh", { method: "POST", token });
    await rotated.close();
    const done = await start(dataDir, { JWT_SECRET: next });
    assertRefused(await done.ask(token), badToken());
    assert.equal((await done.ask(body.wrapper_token)).status, 200);
    await done.close();
  });
});
