import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { RouterMac } from "@claude-relay/contract";
import { sealAnswer } from "./seal.ts";
import {
  bodyHash,
  handshakeMessage,
  legacyMessage,
  requestMessage,
  responseMessage,
  serverProof,
  serverProofMessage,
  sessionKey,
  sessionKeyMessage,
  signHandshake,
  signRequest,
  signResponse,
} from "./signing.ts";

const path = new URL("../../../../test/routeros/vectors.json", import.meta.url);
const vectors = JSON.parse(readFileSync(path, "utf8"));

describe("the signed strings, by test/routeros/vectors.json", () => {
  for (const { name, key_hex, data_hex, sha256, sha512 } of vectors.hmac) {
    it(`hashes as ${name}`, () => {
      const hmac = (digest: string) =>
        createHmac(digest, Buffer.from(key_hex, "hex")).update(data_hex, "hex").digest("hex");
      assert.equal(hmac("sha256"), sha256);
      assert.equal(hmac("sha512"), sha512);
    });
  }

  for (const { name, secret, handshake, server_proof, session_key, requests } of vectors.sessions) {
    const { router_id, router_identity, timestamp, challenge, nonce } = handshake.body;
    const { server_nonce: serverNonce } = server_proof;
    const mac: RouterMac = session_key.mac;
    const session: string = session_key.session;
    const claim = { nonce, serverNonce, session, mac };
    const key = sessionKey(secret, claim);

    it(`signs the handshake of ${name}`, () => {
      const freshness = String(timestamp ?? challenge);
      const identity = router_identity;
      const message = handshakeMessage({ routerId: router_id, identity, freshness, nonce });
      assert.equal(message, handshake.message);
      assert.equal(signHandshake(secret, message), handshake.signature);
      assert.equal(handshake.body.signature, handshake.signature);
    });

    it(`proves itself and makes the key of ${name}`, () => {
      assert.equal(serverProofMessage(nonce, serverNonce), server_proof.message);
      assert.equal(serverProof(secret, nonce, serverNonce), server_proof.proof);
      assert.equal(sessionKeyMessage(claim), session_key.message);
      assert.equal(key.toString("hex"), session_key.key_hex);
    });

    for (const { response, ...request } of requests) {
      it(`signs ${request.method} ${request.path} ${request.sequence} of ${name}, and its reply`, () => {
        const sequence = String(request.sequence);
        const body = Buffer.from(request.body);
        const asked = { method: request.method, path: request.path, session, sequence, body };
        assert.equal(bodyHash(mac, body), request.body_hash);
        assert.equal(requestMessage(mac, asked), request.message);
        assert.equal(signRequest(mac, key, asked), request.signature);
        const replied = { session, sequence, payload: response.payload };
        assert.equal(responseMessage(mac, replied), response.message);
        assert.equal(signResponse(mac, key, replied), response.mac);
        assert.equal(bodyHash(mac, Buffer.from(response.payload)), response.payload_hash);
        const sealed = sealAnswer({ id: session, signed: { mac, key } }, sequence, response.answer);
        assert.equal(sealed, response.text);
      });
    }
  }

  it("are worked through in the docs with the same results", () => {
    const docs = readFileSync(new URL("../../../../docs/routers.md", import.meta.url), "utf8");
    const [own, shared] = vectors.sessions;
    const told = [
      own.handshake.signature,
      own.server_proof.proof,
      own.session_key.key_hex,
      own.requests[0].signature,
      own.requests[1].signature,
      own.requests[1].response.mac,
      shared.handshake.signature,
      shared.session_key.key_hex,
      shared.requests[0].signature,
    ];
    for (const result of told) {
      assert.ok(docs.includes(`# ${result}\n`), result);
    }
  });

  it("signs the legacy handshake", () => {
    const { secret, body, message, signature } = vectors.legacy;
    const { router_identity, router_id, timestamp } = body;
    assert.equal(legacyMessage(router_identity, router_id, String(timestamp)), message);
    assert.equal(signHandshake(secret, message), signature);
  });
});
