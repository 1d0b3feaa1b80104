import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { handshakeCode, refusedHandshake, setupGate } from "./testing/gate-setup.ts";
import { handshakeBody, lanIp } from "./testing/router-side.ts";

describe("a secret sent as its own signature", () => {
  const secret = "Shared Secret of Sixteen+";
  const hex = Buffer.from(secret).toString("hex");
  const bytes = Buffer.from(secret);
  const sent = [
    ...[secret, secret.toUpperCase(), ` ${secret.toLowerCase()}\n`, hex, hex.toUpperCase()],
    ...[bytes.toString("base64"), bytes.toString("base64").replace(/=+$/, "")],
    ...[bytes.toString("base64url"), `"${secret}"`, `'${secret}'`, `\u201c${secret}\u201d`],
    ...[`Bearer ${secret}`, `bearer "${secret}"`, `Basic ${bytes.toString("base64")}`],
  ];

  it("is refused and audited, in other case, quoted, after Bearer, in hex and in base64 too", async () => {
    for (const signature of sent) {
      const setup = setupGate({ sharedSecret: secret });
      const refusal = await refusedHandshake(setup, { ...handshakeBody(secret), signature });
      assert.equal(refusal.code, "secret_leaked");
      assert.match(refusal.message, /Change it/);
      assert.deepEqual(setup.refusals, [{ code: "secret_leaked", router: "office", ip: lanIp }]);
    }
  });

  it("is refused whatever else is wrong, and in the old form", async () => {
    const setup = setupGate({ sharedSecret: secret });
    setup.limits.failures.left = 0;
    const stale = handshakeBody(secret, { timestamp: 1 });
    assert.equal(await handshakeCode(setup, { ...stale, signature: secret }), "secret_leaked");
    const old = { router_identity: "Office", router_id: "office", timestamp: 1, signature: secret };
    assert.equal(await handshakeCode(setup, old), "secret_leaked");
    assert.equal(setup.limits.failures.keys.length, 2);
  });

  it("is refused in every other field too, and its name is neither logged, audited nor stored", async () => {
    const shared = "SharedSecretOfSixteen";
    const own = `crr_${"Wq3mJ8vT1x".repeat(5).slice(0, 43)}`;
    for (const changes of [
      { router_id: shared },
      { router_id: own },
      { router_identity: shared },
      { router_identity: `my ${own}` },
      { nonce: shared },
    ]) {
      const field = Object.keys(changes)[0];
      for (const signature of [{}, { signature: undefined }]) {
        if ("nonce" in changes && "signature" in signature) {
          continue;
        }
        const setup = setupGate({ sharedSecret: shared });
        const refusal = await refusedHandshake(setup, {
          ...JSON.parse(JSON.stringify({ ...handshakeBody(shared, changes), ...signature })),
        });
        assert.equal(refusal.code, "secret_leaked", JSON.stringify(changes));
        assert.ok(refusal.message.startsWith(`${field}: `));
        const written = [...setup.logged, JSON.stringify(setup.refusals)].join();
        assert.ok(!written.includes(shared) && !written.includes(own), written);
      }
    }
  });

  it("is refused when the secret looks like a signature", async () => {
    const hexSecret = "ab".repeat(32);
    const setup = setupGate({ sharedSecret: hexSecret });
    for (const signature of [hexSecret, hexSecret.toUpperCase()]) {
      assert.equal(
        await handshakeCode(setup, { ...handshakeBody("x"), signature }),
        "secret_leaked",
      );
    }
  });
});

describe("the log and the audit", () => {
  it("name the router, the code and the address, and no secret, key or signature", async () => {
    const setup = setupGate({ legacy: true });
    const secret = setup.registry.add("office");
    const body = handshakeBody(secret);
    const answer = await setup.gate.handshake(body, lanIp);
    await refusedHandshake(setup, body);
    await refusedHandshake(setup, { ...body, signature: secret });
    const wrong = handshakeBody("wrong");
    const refusal = await refusedHandshake(setup, wrong);
    const written = [...setup.logged, ...setup.refusals.map((each) => JSON.stringify(each))].join();
    const unspeakable = [secret, body["signature"], wrong["signature"], answer["server_proof"]];
    for (const each of unspeakable.map(String)) {
      assert.ok(!written.includes(each));
      assert.ok(!refusal.message.includes(each));
    }
    assert.deepEqual(
      setup.refusals.map(({ code }) => code),
      ["nonce_reused", "secret_leaked", "signature_invalid"],
    );
  });
});
