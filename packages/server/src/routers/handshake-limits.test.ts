import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { handshakeCode, refusalOf, refusedHandshake, setupGate } from "./testing/gate-setup.ts";
import { freshNonce, handshakeBody, lanIp } from "./testing/router-side.ts";

describe("the order of what a handshake is refused for", () => {
  it("is shape, leaked secret, clock, signature, nonce, challenge, limits, revoked", async () => {
    const setup = setupGate();
    const { gate, registry, limits } = setup;
    const secret = registry.add("office");
    const { challenge } = gate.challenge(lanIp);
    const nonce = freshNonce();
    await gate.handshake(handshakeBody(secret, { challenge, nonce }), lanIp);
    registry.revoke("office");
    limits.routers.left = 0;
    const all = { timestamp: 1, nonce, signature: secret };
    assert.equal(
      await handshakeCode(setup, handshakeBody("x", { ...all, mac: "md5" })),
      "invalid_request",
    );
    assert.equal(await handshakeCode(setup, handshakeBody("x", all)), "secret_leaked");
    assert.equal(
      await handshakeCode(setup, handshakeBody("x", { timestamp: 1, nonce })),
      "clock_skew",
    );
    assert.equal(await handshakeCode(setup, handshakeBody("x", { nonce })), "signature_invalid");
    assert.equal(
      await handshakeCode(setup, handshakeBody(secret, { nonce, challenge })),
      "nonce_reused",
    );
    assert.equal(
      await handshakeCode(setup, handshakeBody(secret, { challenge })),
      "challenge_invalid",
    );
    assert.equal(await handshakeCode(setup, handshakeBody(secret)), "rate_limited");
    limits.routers.left = 1;
    assert.equal(await handshakeCode(setup, handshakeBody(secret)), "router_revoked");
  });
});

describe("limits on handshakes", () => {
  it("turn the next bad signature of an address away, and never a good one", async () => {
    const setup = setupGate();
    const secret = setup.registry.add("office");
    setup.limits.failures.left = 2;
    const bad = () => refusedHandshake(setup, handshakeBody("wrong"));
    assert.deepEqual(
      [(await bad()).code, (await bad()).code],
      ["signature_invalid", "signature_invalid"],
    );
    const refusal = await bad();
    assert.equal(refusal.code, "rate_limited");
    assert.deepEqual(refusal.fields, { retry_after: 3 });
    assert.deepEqual(setup.refusals.at(-1), { code: "rate_limited", router: "office", ip: lanIp });
    assert.equal((await setup.gate.handshake(handshakeBody(secret), lanIp)).success, true);
  });

  it("of a router are not used up by strangers or by replays", async () => {
    const setup = setupGate();
    const secret = setup.registry.add("office");
    const body = handshakeBody(secret);
    await setup.gate.handshake(body, lanIp);
    for (let times = 0; times < 5; times += 1) {
      await handshakeCode(setup, handshakeBody("wrong"));
      await handshakeCode(setup, body);
    }
    assert.deepEqual(setup.limits.routers.keys, ["office"]);
    assert.deepEqual(setup.limits.addresses.keys, [lanIp]);
  });

  it("hold for good handshakes of one router, of one address, and for challenges", async () => {
    const setup = setupGate();
    const secret = setup.registry.add("office");
    for (const limit of [setup.limits.routers, setup.limits.addresses]) {
      limit.left = 0;
      const refusal = await refusedHandshake(setup, handshakeBody(secret));
      assert.equal(refusal.code, "rate_limited");
      assert.deepEqual(refusal.fields, { retry_after: 3 });
      limit.left = 1;
    }
    setup.limits.challenges.left = 0;
    assert.equal((await refusalOf(() => setup.gate.challenge(lanIp))).code, "rate_limited");
  });
});
