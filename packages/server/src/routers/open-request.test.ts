import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { RouterRequest } from "../pipeline/router-ports.ts";
import { sessionKey, signRequest } from "./signing.ts";
import { refusedRequest, requestCode, setupGate, withSession } from "./testing/gate-setup.ts";
import { handshakeBody, lanIp, shakeHands } from "./testing/router-side.ts";

describe("a signed request", () => {
  for (const mac of ["hmac-sha256", "hmac-sha512"] as const) {
    it(`is opened for its router, and its reply can be believed (${mac})`, async () => {
      const { gate, router } = await withSession(mac);
      const opened = gate.open(router.sign(1));
      assert.equal(opened.caller.id, "office");
      assert.equal(opened.session, router.session);
      const answer = { success: true, explanation: 'Zeigt "Gäste" 📶 \\ \u007f' };
      const reply = opened.seal(answer);
      assert.match(reply, /^[\x20-\x7e]*$/);
      assert.deepEqual(Object.keys(JSON.parse(reply)), ["success", "payload", "mac"]);
      assert.deepEqual(router.believe(1, reply), answer);
    });
  }

  it("without a body signs the hash of nothing", async () => {
    const { gate, router } = await withSession();
    const request = { method: "GET" as const, path: "/jobs/j_1", body: Buffer.alloc(0) };
    assert.equal(gate.open(router.sign(1, request)).caller.id, "office");
  });

  it("is refused a second time, and in another order, saying where the sequence stands", async () => {
    const setup = await withSession();
    const { gate, router } = setup;
    const first = router.sign(1);
    gate.open(first);
    gate.open(router.sign(7));
    for (const request of [first, router.sign(7), router.sign(6)]) {
      const refusal = await refusedRequest(setup, request);
      assert.equal(refusal.code, "sequence_invalid");
      assert.deepEqual(refusal.fields, { last_seq: 7 });
      assert.equal(refusal.seal, null, "one sequence has one sealed answer");
    }
    gate.open(router.sign(8));
  });

  it("moves the sequence only when its signature is good", async () => {
    const setup = await withSession();
    const forged = { ...setup.router.sign(1), sequence: "9007199254740991" };
    assert.equal(await requestCode(setup, forged), "signature_invalid");
    setup.gate.open(setup.router.sign(1));
    const last = setup.router.sign(Number.MAX_SAFE_INTEGER);
    setup.gate.open(last);
    assert.equal(await requestCode(setup, last), "sequence_invalid");
  });

  it("has a sequence that is a whole number and nothing else", async () => {
    const setup = await withSession();
    for (const sequence of [
      "",
      "0",
      "-1",
      "01",
      "1.0",
      "1e3",
      "0x1",
      " 1",
      "1, 2",
      "9007199254740992",
      "٣",
    ]) {
      const refusal = await refusedRequest(setup, { ...setup.router.sign(1), sequence });
      assert.equal(refusal.code, "invalid_request");
      assert.match(refusal.message, /^X-Relay-Seq: /);
    }
  });

  it("is refused without one of its headers, naming it", async () => {
    const setup = await withSession();
    const good = setup.router.sign(1);
    const without = async (header: "session" | "sequence" | "signature") => {
      const { code, message, seal } = await refusedRequest(setup, { ...good, [header]: undefined });
      assert.equal(seal, null);
      return `${code} ${message.split(":")[0]}`;
    };
    assert.equal(await without("session"), "session_unknown X-Relay-Session");
    assert.equal(await without("sequence"), "signature_required X-Relay-Seq");
    assert.equal(await without("signature"), "signature_required X-Relay-Signature");
  });

  it("is refused with a query, which nothing signs", async () => {
    const setup = await withSession();
    const request = setup.router.sign(1, { path: "/process-command?x=1" });
    assert.equal(await requestCode(setup, request), "invalid_request");
  });

  it("of a session that is not known here is refused, prototypes' names too", async () => {
    const setup = await withSession();
    for (const session of ["", "rs_", `rs_${"0".repeat(32)}`, "__proto__", "constructor"]) {
      assert.equal(
        await requestCode(setup, { ...setup.router.sign(1), session }),
        "session_unknown",
      );
    }
    assert.deepEqual(setup.refusals, []);
  });

  it("of one router is not opened in another's session", async () => {
    const setup = await withSession();
    const other = await shakeHands(setup.gate, setup.registry.add("branch"), {
      router_id: "branch",
    });
    const request = { ...other.sign(1), session: setup.router.session };
    assert.equal(await requestCode(setup, request), "signature_invalid");
  });

  it("signed with the secret itself is refused: the key is the session's", async () => {
    const setup = await withSession();
    const request = setup.router.sign(1);
    const { method, path, body, session = "", sequence = "" } = request;
    const claim = { method, path, session, sequence, body };
    const signature = signRequest("hmac-sha512", Buffer.from(setup.secret), claim);
    assert.equal(await requestCode(setup, { ...request, signature }), "signature_invalid");
  });

  it("is refused when any bit of what was signed, or of the signature, is another", async () => {
    const setup = await withSession();
    const good = setup.router.sign(1);
    const changed = (
      part: "method" | "path" | "sequence" | "signature" | "body",
      at: number,
      bit: number,
    ) => {
      const bytes = Buffer.from(good[part] ?? "");
      const index = at % bytes.length;
      bytes.writeUInt8(bytes.readUInt8(index) ^ (1 << bit), index);
      return {
        ...good,
        [part]: part === "body" ? bytes : bytes.toString("latin1"),
      } as RouterRequest;
    };
    const parts = ["method", "path", "sequence", "signature", "body"] as const;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...parts), fc.nat(), fc.nat(7), async (part, at, bit) => {
        const code = await requestCode(setup, changed(part, at, bit));
        assert.ok(["signature_invalid", "invalid_request"].includes(code), code);
      }),
      { numRuns: 500 },
    );
    const shorter = { ...good, body: good.body.subarray(0, -1) };
    assert.equal(await requestCode(setup, shorter), "signature_invalid");
    for (const signature of [good.signature?.toUpperCase(), good.signature?.slice(0, 64), ""]) {
      assert.equal(await requestCode(setup, { ...good, signature }), "signature_invalid");
    }
    setup.gate.open(good);
  });

  it("is not opened when a man in the middle changed the algorithm of the handshake", async () => {
    const setup = setupGate();
    const secret = setup.registry.add("office");
    const body = handshakeBody(secret, { mac: "hmac-sha512" });
    const answer = await setup.gate.handshake({ ...body, mac: "hmac-sha256" }, lanIp);
    const session = String(answer["session"]);
    const serverNonce = String(answer["server_nonce"]);
    const nonce = String(body["nonce"]);
    const key = sessionKey(secret, { nonce, serverNonce, session, mac: "hmac-sha512" });
    const claim = {
      method: "GET" as const,
      path: "/jobs/j_1",
      session,
      sequence: "1",
      body: Buffer.alloc(0),
    };
    for (const mac of ["hmac-sha256", "hmac-sha512"] as const) {
      const request = { ...claim, signature: signRequest(mac, key, claim), clientIp: lanIp };
      assert.equal(await requestCode(setup, request), "signature_invalid");
    }
  });
});

describe("a sealed reply", () => {
  const answer = { success: false, code: "forbidden_command", error: "no", list: [1, "ä"] };

  it("says outside what it says inside", async () => {
    const { gate, router } = await withSession();
    const { payload, mac, ...outside } = JSON.parse(gate.open(router.sign(1)).seal(answer));
    assert.deepEqual(outside, { success: false, code: "forbidden_command", error: "no" });
    assert.deepEqual(JSON.parse(payload), answer);
    assert.match(mac, /^[0-9a-f]{128}$/);
  });

  it("is believed for its own request alone, and in its own session", async () => {
    const { gate, router, secret } = await withSession();
    const reply = gate.open(router.sign(1)).seal(answer);
    assert.equal(router.believe(2, reply), null);
    const later = await shakeHands(gate, secret);
    assert.equal(later.believe(1, reply), null);
  });

  it("is not believed when any bit of its payload is another", async () => {
    const { gate, router } = await withSession();
    const sealed = JSON.parse(gate.open(router.sign(1)).seal(answer));
    fc.assert(
      fc.property(fc.nat(), fc.nat(6), (at, bit) => {
        const bytes = Buffer.from(sealed.payload);
        const index = at % bytes.length;
        bytes.writeUInt8(bytes.readUInt8(index) ^ (1 << bit), index);
        const reply = JSON.stringify({ ...sealed, payload: bytes.toString("latin1") });
        assert.equal(router.believe(1, reply), null);
      }),
      { numRuns: 300 },
    );
  });
});
