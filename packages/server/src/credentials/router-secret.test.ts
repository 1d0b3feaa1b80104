import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { it } from "node:test";
import type { RouterId } from "@claude-relay/contract";
import { createRouterSecrets } from "./router-secret.ts";

const jwtSecret = "a-secret-of-at-least-32-bytes-xx";
const id = "office" as RouterId;

/** RFC 5869 by hand, for one block: extract with no salt, then expand. */
const byHand = (secret: string, router: string, generation: number): string => {
  const pseudorandom = createHmac("sha256", Buffer.alloc(32)).update(secret).digest();
  const root = createHmac("sha256", pseudorandom)
    .update("claude-relay router secrets\u0001")
    .digest();
  const words = `claude-relay-router-secret-v1\n${router}\n${generation}`;
  return `crr_${createHmac("sha256", root).update(words).digest("base64url")}`;
};

it("a secret is what the derivation in the docs gives, today as at any other time", () => {
  const { newest } = createRouterSecrets(jwtSecret, null);
  assert.equal(newest({ id, generation: 1 }), byHand(jwtSecret, "office", 1));
  assert.equal(newest({ id, generation: 12 }), byHand(jwtSecret, "office", 12));
  assert.match(newest({ id, generation: 1 }), /^crr_[A-Za-z0-9_-]{43}$/);
});

it("each router, each generation and each JWT_SECRET has its own", () => {
  const one = createRouterSecrets(jwtSecret, null);
  const other = createRouterSecrets(`${jwtSecret}!`, null);
  const secrets = [
    one.newest({ id, generation: 1 }),
    one.newest({ id, generation: 2 }),
    one.newest({ id: "office1" as RouterId, generation: 1 }),
    one.newest({ id: "Office" as RouterId, generation: 1 }),
    other.newest({ id, generation: 1 }),
  ];
  assert.equal(new Set(secrets).size, secrets.length);
});

it("after a rotation of JWT_SECRET the old one's secrets are good too, and new ones are handed out", () => {
  const which = { id, generation: 3 };
  const before = createRouterSecrets(jwtSecret, null);
  const after = createRouterSecrets("another-secret-of-32-bytes-or-so", jwtSecret);
  assert.deepEqual(after.all(which), [after.newest(which), before.newest(which)]);
  assert.deepEqual(before.all(which), [before.newest(which)]);
});
