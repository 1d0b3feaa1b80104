import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { keyOf, nonceBytes, open, seal } from "./sealed-conversation.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const key = bytes(32).map(keyOf);
const nonce = bytes(nonceBytes);
const id = fc.stringMatching(/^[a-z0-9-]{8,64}$/);
const sealedBytes = 1 + 8 + 12 + 16;

describe("a sealed conversation", () => {
  it("opens to what was sealed, and to nothing for another id or key", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 2000 }),
        fc.uniqueArray(id, { minLength: 2, maxLength: 2 }),
        fc.uniqueArray(bytes(32), { minLength: 2, maxLength: 2, comparator: areSame }),
        nonce,
        (plain, [own = "", other = ""], [ownKey, otherKey], used) => {
          const [mine, theirs] = [keyOf(ownKey!), keyOf(otherKey!)];
          const sealed = seal(plain, own, mine, used);
          assert.equal(sealed.length, plain.length + sealedBytes);
          assert.deepEqual(open(sealed, own, mine), { kind: "open", plain: Buffer.from(plain) });
          assert.deepEqual(open(sealed, other, mine), { kind: "damaged" });
          assert.deepEqual(open(sealed, own, theirs), { kind: "other_key" });
        },
      ),
    );
  });

  it("does not open when any bit of it is changed, or it is cut, or longer", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 500 }),
        id,
        key,
        nonce,
        fc.nat(),
        fc.integer({ min: 0, max: 7 }),
        (plain, own, ownKey, used, place, bit) => {
          const sealed = seal(plain, own, ownKey, used);
          const changed = Buffer.from(sealed);
          changed[place % sealed.length]! ^= 1 << bit;
          assert.notEqual(open(changed, own, ownKey).kind, "open");
          const cut = sealed.subarray(0, place % sealed.length);
          assert.equal(open(cut, own, ownKey).kind, "damaged");
          const longer = Buffer.concat([sealed, Buffer.of(bit)]);
          assert.equal(open(longer, own, ownKey).kind, "damaged");
        },
      ),
    );
  });

  it("never throws at what was never ours", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), id, key, (noise, own, ownKey) => {
        assert.notEqual(open(Buffer.from(noise), own, ownKey).kind, "open");
      }),
    );
  });

  it("tells nothing of the key by the key's id", () => {
    const { id: name, bytes: secret } = keyOf(new Uint8Array(32).fill(7));
    assert.equal(name.length, 8);
    assert.ok(!Buffer.from(secret).includes(Buffer.from(name)));
  });
});

const areSame = (one: Uint8Array, other: Uint8Array): boolean => Buffer.from(one).equals(other);
