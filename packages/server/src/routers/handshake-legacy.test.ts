import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { refusalOf, setupGate } from "./testing/gate-setup.ts";
import { lanIp, legacyBody, startedAt } from "./testing/router-side.ts";

const secret = "a shared secret";
const now = startedAt / 1000;

const codeOf = async (setup: ReturnType<typeof setupGate>, body: unknown) =>
  (await refusalOf(() => setup.gate.handshake(body, lanIp))).code;

describe("the old form of the handshake", () => {
  it("is refused unless it was allowed, whether its signature is good or not", async () => {
    const setup = setupGate({ sharedSecret: secret });
    assert.equal(await codeOf(setup, legacyBody(secret)), "legacy_refused");
    assert.equal(await codeOf(setup, legacyBody("wrong")), "legacy_refused");
    assert.equal(setup.limits.failures.keys.length, 2);
  });

  it("where allowed is confirmed once, and opens no session", async () => {
    const setup = setupGate({ sharedSecret: secret, legacy: true });
    const answer = await setup.gate.handshake(legacyBody(secret), lanIp);
    assert.equal(answer.success, true);
    assert.equal(answer["router_id"], "office");
    for (const field of ["session", "server_nonce", "server_proof", "mac", "expires_in"]) {
      assert.equal(Object.hasOwn(answer, field), false);
    }
    assert.equal(await codeOf(setup, legacyBody(secret)), "nonce_reused");
  });

  it("is held to the clock, the signature, the limits and revocation as the new one is", async () => {
    const setup = setupGate({ sharedSecret: secret, legacy: true });
    assert.equal(await codeOf(setup, legacyBody(secret, now - 301)), "clock_skew");
    assert.equal(await codeOf(setup, legacyBody("wrong")), "signature_invalid");
    setup.limits.routers.left = 0;
    assert.equal(await codeOf(setup, legacyBody(secret)), "rate_limited");
    setup.limits.routers.left = 9;
    await setup.gate.handshake(legacyBody(secret), lanIp);
    setup.registry.revoke("office");
    assert.equal(await codeOf(setup, legacyBody(secret, now - 1)), "router_revoked");
  });

  it("needs a timestamp when it is signed, and v when it has fields of the new form", async () => {
    const setup = setupGate({ sharedSecret: secret, legacy: true });
    const { timestamp: _, ...timeless } = legacyBody(secret);
    const faults = [timeless, { ...legacyBody(secret), nonce: "a".repeat(20) }].map((body) =>
      refusalOf(() => setup.gate.handshake(body, lanIp)),
    );
    assert.deepEqual(
      (await Promise.all(faults)).map(({ message }) => message),
      ["timestamp: field required.", "v: field required, it must be the number 1."],
    );
  });
});
