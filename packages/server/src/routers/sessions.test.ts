import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RouterRequest } from "../pipeline/router-ports.ts";
import { refusedRequest, requestCode, setupGate, withSession } from "./testing/gate-setup.ts";
import { lanIp, shakeHands } from "./testing/router-side.ts";

describe("a session", () => {
  it("ends after 12 hours, whatever the wall clock says", async () => {
    const setup = await withSession();
    setup.clock.pass(12 * 3_600_000 - 1);
    setup.gate.open(setup.router.sign(1));
    setup.clock.ms -= 86_400_000;
    setup.clock.monotonic += 1;
    assert.equal(await requestCode(setup, setup.router.sign(2)), "session_expired");
  });

  it("ends at once when its router is revoked, which is told under seal", async () => {
    const setup = await withSession();
    setup.registry.revoke("office");
    const forged = { ...setup.router.sign(1), signature: "0".repeat(128) };
    assert.equal(await requestCode(setup, forged), "signature_invalid");
    const refusal = await refusedRequest(setup, setup.router.sign(1));
    assert.equal(refusal.code, "router_revoked");
    const reply = refusal.seal?.({ success: false, code: refusal.code }) ?? "";
    assert.deepEqual(setup.router.believe(1, reply), { success: false, code: "router_revoked" });
    assert.equal(await requestCode(setup, setup.router.sign(2)), "session_unknown");
  });

  it("ends at once when its router's secret is rotated; the new secret opens another", async () => {
    const setup = await withSession();
    const secret = setup.registry.rotate("office");
    assert.equal(await requestCode(setup, setup.router.sign(1)), "session_expired");
    assert.equal(await requestCode(setup, setup.router.sign(2)), "session_unknown");
    const renewed = await shakeHands(setup.gate, secret);
    setup.gate.open(renewed.sign(1));
  });

  it("of another process is unknown: the router shakes hands again", async () => {
    const setup = await withSession();
    const elsewhere = setupGate();
    assert.equal(await requestCode(elsewhere, setup.router.sign(1)), "session_unknown");
  });

  it("in use is kept when its router begins more than there is room for", async () => {
    const setup = await withSession();
    const { gate, router, secret } = setup;
    const unused = await shakeHands(gate, secret);
    gate.open(router.sign(1));
    for (let more = 0; more < 7; more += 1) {
      await shakeHands(gate, secret);
    }
    gate.open(router.sign(2));
    assert.equal(await requestCode(setup, unused.sign(1)), "session_unknown");
  });

  it("has a sequence of its own beside the router's other sessions", async () => {
    const { gate, router, secret } = await withSession();
    gate.open(router.sign(5));
    const second = await shakeHands(gate, secret);
    gate.open(second.sign(1));
    gate.open(router.sign(6));
  });
});

describe("bad signatures on requests", () => {
  it("are counted by address and audited, and never keep a good one out", async () => {
    const setup = await withSession();
    setup.limits.failures.left = 1;
    const forged = { ...setup.router.sign(1), signature: "0".repeat(128) };
    assert.equal(await requestCode(setup, forged), "signature_invalid");
    assert.equal(await requestCode(setup, forged), "rate_limited");
    assert.deepEqual(setup.limits.failures.keys, [lanIp, lanIp]);
    assert.deepEqual(
      setup.refusals.map(({ code, router }) => `${code} ${router}`),
      ["signature_invalid office", "rate_limited office"],
    );
    setup.gate.open(setup.router.sign(1));
  });
});

describe("a session begun without a secret", () => {
  const loopback = "127.0.0.1";
  const begin = async () => {
    const setup = setupGate({ isLoopbackListener: true });
    const bare = { router_identity: "Dev", router_id: "dev" };
    const { session } = await setup.gate.handshake(bare, loopback);
    const request: RouterRequest = {
      method: "POST",
      path: "/process-command",
      session: String(session),
      sequence: undefined,
      signature: undefined,
      body: Buffer.from("{}"),
      clientIp: loopback,
    };
    return { ...setup, request };
  };

  it("takes requests as they are, and answers as they are", async () => {
    const { gate, request } = await begin();
    const opened = gate.open(request);
    assert.equal(opened.caller.id, "dev");
    assert.equal(opened.seal({ success: true, a: "ä" }), '{"success":true,"a":"\\u00e4"}');
  });

  it("takes them from this machine alone", async () => {
    const setup = await begin();
    assert.equal(
      await requestCode(setup, { ...setup.request, clientIp: lanIp }),
      "signature_required",
    );
  });

  it("ends when its router is added by name, or revoked", async () => {
    const added = await begin();
    added.registry.add("dev");
    assert.equal(await requestCode(added, added.request), "signature_required");
    const revoked = await begin();
    revoked.registry.revoke("dev");
    assert.equal(await requestCode(revoked, revoked.request), "router_revoked");
  });
});
