import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Refusal } from "../pipeline/refusal.ts";
import { serverProof } from "./signing.ts";
import { handshakeCode, refusedHandshake, setupGate } from "./testing/gate-setup.ts";
import { freshNonce, handshakeBody, lanIp, shakeHands, startedAt } from "./testing/router-side.ts";

const now = startedAt / 1000;

describe("a signed handshake", () => {
  it("opens a session and proves that the relay knows the secret too", async () => {
    const { gate, registry, refusals } = setupGate();
    const secret = registry.add("office");
    const body = handshakeBody(secret);
    const answer = await gate.handshake(body, lanIp);
    const { session, server_nonce: serverNonce, server_proof: proof, ...rest } = answer;
    assert.deepEqual(rest, {
      success: true,
      message: "Handshake accepted",
      service: "claude-relay",
      version: "1.2.3",
      timestamp: now,
      router_identity: "Office",
      router_id: "office",
      cloud_port: 8899,
      mac: "hmac-sha512",
      expires_in: 43_200,
    });
    assert.match(String(session), /^rs_[0-9a-f]{32}$/);
    assert.match(String(serverNonce), /^n_[0-9a-f]{32}$/);
    assert.equal(proof, serverProof(secret, String(body["nonce"]), String(serverNonce)));
    assert.deepEqual(registry.admitted, [
      { id: "office", enrolledBy: "shared_secret", identity: "Office", clientIp: lanIp },
    ]);
    assert.deepEqual(refusals, []);
  });

  it("takes the time as a number or as digits, in either case signed as digits", async () => {
    const { gate, registry } = setupGate();
    const secret = registry.add("office");
    for (const timestamp of [now, String(now)]) {
      const answer = await gate.handshake(handshakeBody(secret, { timestamp }), lanIp);
      assert.equal(answer.success, true);
    }
  });

  it("signs a session with SHA-256 where the router names no algorithm", async () => {
    const { gate, registry } = setupGate();
    const answer = await gate.handshake(
      handshakeBody(registry.add("office"), { mac: undefined }),
      lanIp,
    );
    assert.equal(answer["mac"], "hmac-sha256");
  });

  it("needs no clock when it brings a challenge, which is good once and for 60 s", async () => {
    const setup = setupGate();
    const { gate, registry, clock } = setup;
    const secret = registry.add("office");
    const { challenge, expires_in, server_time, success } = gate.challenge(lanIp);
    assert.match(String(challenge), /^c_[0-9a-f]{32}$/);
    assert.deepEqual(
      { success, expires_in, server_time },
      { success: true, expires_in: 60, server_time: now },
    );
    await gate.handshake(handshakeBody(secret, { challenge }), lanIp);
    assert.equal(
      await handshakeCode(setup, handshakeBody(secret, { challenge })),
      "challenge_invalid",
    );

    const late = gate.challenge(lanIp)["challenge"];
    clock.pass(59_999);
    const another = gate.challenge(lanIp)["challenge"];
    await gate.handshake(handshakeBody(secret, { challenge: another }), lanIp);
    clock.pass(1);
    assert.equal(
      await handshakeCode(setup, handshakeBody(secret, { challenge: late })),
      "challenge_invalid",
    );
    const invented = `c_${"0".repeat(32)}`;
    assert.equal(
      await handshakeCode(setup, handshakeBody(secret, { challenge: invented })),
      "challenge_invalid",
    );
  });

  it("leaves a challenge good when the signature was not", async () => {
    const setup = setupGate();
    const secret = setup.registry.add("office");
    const { challenge } = setup.gate.challenge(lanIp);
    assert.equal(
      await handshakeCode(setup, handshakeBody("wrong", { challenge })),
      "signature_invalid",
    );
    await setup.gate.handshake(handshakeBody(secret, { challenge }), lanIp);
  });

  it("is refused more than 300 s off, telling the time", async () => {
    const setup = setupGate();
    const secret = setup.registry.add("office");
    for (const timestamp of [now - 300, now + 300]) {
      await setup.gate.handshake(handshakeBody(secret, { timestamp }), lanIp);
    }
    for (const timestamp of [now - 301, now + 301, 86_400]) {
      const refusal = await refusedHandshake(setup, handshakeBody(secret, { timestamp }));
      assert.equal(refusal.code, "clock_skew");
      assert.deepEqual(refusal.fields, { server_time: now });
    }
  });

  it("is refused a second time, for as long as its timestamp could be good", async () => {
    const setup = setupGate();
    const secret = setup.registry.add("office");
    const body = handshakeBody(secret, { timestamp: now + 300 });
    await setup.gate.handshake(body, lanIp);
    assert.equal(await handshakeCode(setup, body), "nonce_reused");
    setup.clock.pass(600_000);
    assert.equal(await handshakeCode(setup, body), "nonce_reused");
    setup.clock.pass(1);
    assert.equal(await handshakeCode(setup, body), "clock_skew");
  });

  it("does not spend its nonce while the signature is bad", async () => {
    const setup = setupGate();
    const secret = setup.registry.add("office");
    const nonce = freshNonce();
    assert.equal(
      await handshakeCode(setup, handshakeBody("wrong", { nonce })),
      "signature_invalid",
    );
    await setup.gate.handshake(handshakeBody(secret, { nonce }), lanIp);
  });

  it("of another router is refused: its signature names it", async () => {
    const setup = setupGate();
    const secret = setup.registry.add("office");
    setup.registry.add("branch");
    const stolen = { ...handshakeBody(secret), router_id: "branch" };
    assert.equal(await handshakeCode(setup, stolen), "signature_invalid");
  });

  it("does not tell an unknown router from a wrong signature", async () => {
    const setup = setupGate();
    setup.registry.add("office");
    const wrong = await refusedHandshake(setup, handshakeBody("wrong"));
    const unknown = await refusedHandshake(setup, handshakeBody("wrong", { router_id: "nobody" }));
    const bare = await refusedHandshake(setup, { ...handshakeBody("wrong"), signature: undefined });
    const bareUnknown = await refusedHandshake(setup, {
      ...handshakeBody("wrong", { router_id: "nobody" }),
      signature: undefined,
    });
    assert.equal(wrong.code, "signature_invalid");
    assert.deepEqual([unknown.code, unknown.message], [wrong.code, wrong.message]);
    assert.equal(bare.code, "signature_required");
    assert.deepEqual([bareUnknown.code, bareUnknown.message], [bare.code, bare.message]);
  });

  it("is not accepted for an unknown router with what its signature is compared to instead", async () => {
    const setup = setupGate();
    // The second draw of the test's random numbers; nobody outside the process could know it.
    const decoy = createHash("sha256").update("random 2").digest("hex");
    const body = handshakeBody(decoy, { router_id: "nobody" });
    assert.equal(await handshakeCode(setup, body), "signature_invalid");
    assert.deepEqual(setup.registry.admitted, []);
  });

  it("has a signature of 64 lower-case hex digits", async () => {
    const setup = setupGate();
    const body = handshakeBody(setup.registry.add("office"));
    const signature = String(body["signature"]);
    for (const other of [signature.toUpperCase(), signature.slice(1), `${signature}00`, "no"]) {
      const refusal = await refusedHandshake(setup, { ...body, signature: other });
      assert.equal(refusal.code, "invalid_request");
      assert.equal(refusal.message, "signature: must be 64 lower-case hexadecimal digits.");
    }
  });

  it("is told that its router was revoked only once it proved that it is that router", async () => {
    const setup = setupGate();
    const secret = setup.registry.add("office");
    setup.registry.revoke("office");
    assert.equal(await handshakeCode(setup, handshakeBody("wrong")), "signature_invalid");
    assert.equal(await handshakeCode(setup, handshakeBody(secret)), "router_revoked");
    const office = { router: "office", ip: lanIp };
    assert.deepEqual(setup.refusals, [
      { code: "signature_invalid", ...office },
      { code: "router_revoked", ...office, proven: true },
    ]);
  });

  it("may use the shared secret for an unknown name, but not for one that was added", async () => {
    const setup = setupGate({ sharedSecret: "a shared secret" });
    setup.registry.add("office");
    await shakeHands(setup.gate, "a shared secret", { router_id: "branch" });
    assert.equal(await handshakeCode(setup, handshakeBody("a shared secret")), "signature_invalid");
  });

  it("is told when the records cannot be written, and passes a fault of ours on as it is", async () => {
    const setup = setupGate();
    const secret = setup.registry.add("office");
    setup.registry.meanwhile = () => {
      throw new Refusal("storage_unavailable", "Storage is down.", { retryAfterSeconds: 7 });
    };
    const refusal = await refusedHandshake(setup, handshakeBody(secret));
    assert.equal(refusal.code, "unavailable");
    assert.deepEqual(refusal.fields, { retry_after: 7 });
    assert.deepEqual(setup.refusals, []);
    setup.registry.meanwhile = () => {
      throw new RangeError("a bug");
    };
    await assert.rejects(setup.gate.handshake(handshakeBody(secret), lanIp), RangeError);
  });

  it("is told in the registry's words that no more may register, or that another secret counts", async () => {
    const setup = setupGate({ sharedSecret: "a shared secret" });
    const refusedWith = (refusal: Refusal) => {
      setup.registry.meanwhile = () => {
        throw refusal;
      };
      return refusedHandshake(setup, handshakeBody("a shared secret"));
    };
    const full = await refusedWith(
      new Refusal("rate_limited", "It takes no more by itself.", { retryAfterSeconds: 60 }),
    );
    assert.deepEqual([full.code, full.fields], ["rate_limited", { retry_after: 60 }]);
    assert.match(full.message, /^It takes no more by itself/);
    const late = await refusedWith(new Refusal("credential_invalid", "It was just added."));
    assert.deepEqual(
      [late.code, late.message],
      ["signature_invalid", "signature: It was just added."],
    );
    assert.equal(setup.refusals.length, 2, "both are told to the audit log");
  });

  it("opens nothing when the secret is changed while it is being registered", async () => {
    const setup = setupGate();
    const secret = setup.registry.add("office");
    setup.registry.meanwhile = () => void setup.registry.rotate("office");
    assert.equal(await handshakeCode(setup, handshakeBody(secret)), "signature_invalid");
  });
});

describe("any change to a signed handshake", () => {
  it("makes it void: every bit of every field counts", async () => {
    const setup = setupGate();
    const secret = setup.registry.add("office");
    const good = handshakeBody(secret, { router_identity: "Büro 7" });
    const fields = ["router_identity", "router_id", "timestamp", "nonce", "signature"];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...fields), fc.nat(), fc.nat(7), async (field, at, bit) => {
        const bytes = Buffer.from(String(good[field]));
        const index = at % bytes.length;
        bytes.writeUInt8(bytes.readUInt8(index) ^ (1 << bit), index);
        const changed = { ...good, [field]: bytes.toString("utf8") };
        const refusal = await refusedHandshake(setup, changed);
        assert.ok(["signature_invalid", "invalid_request", "clock_skew"].includes(refusal.code));
      }),
      { numRuns: 500 },
    );
    assert.deepEqual(setup.registry.admitted, []);
    assert.equal((await setup.gate.handshake(good, lanIp)).success, true);
  });
});
