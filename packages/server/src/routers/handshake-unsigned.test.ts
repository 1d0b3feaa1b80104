import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Refusal } from "../pipeline/refusal.ts";
import { handshakeCode, setupGate } from "./testing/gate-setup.ts";
import { freshNonce, handshakeBody, lanIp, startedAt } from "./testing/router-side.ts";

const now = startedAt / 1000;

describe("a handshake without a signature", () => {
  const bare = { router_identity: "Dev", router_id: "dev", timestamp: now };
  const loopback = "127.0.0.1";

  it("is accepted on loopback where no secret is to be had, in either form", async () => {
    const { gate, registry } = setupGate({ isLoopbackListener: true });
    for (const body of [bare, { ...bare, v: 1, nonce: freshNonce() }]) {
      const answer = await gate.handshake(body, loopback);
      assert.match(String(answer["session"]), /^rs_/);
      for (const field of ["server_nonce", "server_proof", "mac"]) {
        assert.equal(Object.hasOwn(answer, field), false);
      }
    }
    assert.equal(registry.admitted[0]?.enrolledBy, "loopback");
  });

  it("is refused from elsewhere, on another listener, with a shared secret, and for a name that was added", async () => {
    const setup = setupGate({ isLoopbackListener: true });
    assert.equal(await handshakeCode(setup, bare, lanIp), "signature_required");
    assert.equal(await handshakeCode(setupGate(), bare, loopback), "signature_required");
    const shared = setupGate({ isLoopbackListener: true, sharedSecret: "a shared secret" });
    assert.equal(await handshakeCode(shared, bare, loopback), "signature_required");
    setup.registry.add("dev");
    assert.equal(await handshakeCode(setup, bare, loopback), "signature_required");
    assert.equal(setup.limits.failures.keys.length, 2);
  });

  it("is refused for a revoked router", async () => {
    const setup = setupGate({ isLoopbackListener: true });
    await setup.gate.handshake(bare, loopback);
    setup.registry.revoke("dev");
    assert.equal(await handshakeCode(setup, bare, loopback), "router_revoked");
    assert.equal(setup.refusals.at(-1)?.proven, undefined, "anyone here may say that name");
  });

  it("is told to sign when its router was given a secret meanwhile", async () => {
    const setup = setupGate({ isLoopbackListener: true });
    setup.registry.meanwhile = () => {
      throw new Refusal("credential_invalid", "It must sign.");
    };
    assert.equal(await handshakeCode(setup, bare, loopback), "signature_required");
  });

  it("is named router_unknown when it is signed all the same, on this machine only", async () => {
    const signed = handshakeBody("a secret of nobody's");
    const here = setupGate({ isLoopbackListener: true });
    assert.equal(await handshakeCode(here, signed, loopback), "router_unknown");
    assert.equal(await handshakeCode(setupGate(), signed, lanIp), "signature_invalid");
  });
});
