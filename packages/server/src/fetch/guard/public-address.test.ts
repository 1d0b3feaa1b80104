import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { innerAddresses, outerAddresses } from "../test-payloads.ts";
import { canonicalAddress, isPublicAddress } from "./public-address.ts";
import { isSpecial } from "./special-ranges.ts";

const hex = (high: number, low: number) => ((high << 8) | low).toString(16);
const octet = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.tuple(octet, octet, octet, octet);

describe("an address is public", () => {
  for (const address of innerAddresses) {
    it(`not when it is ${JSON.stringify(address)}`, () => {
      assert.equal(isPublicAddress(address), false);
    });
  }

  for (const address of outerAddresses) {
    it(`when it is ${address}`, () => {
      assert.equal(isPublicAddress(address), true);
    });
  }

  it("in its mapped form exactly when it is in its own", () => {
    fc.assert(
      fc.property(ipv4, (parts) => {
        const plain = parts.join(".");
        assert.equal(isPublicAddress(`::ffff:${plain}`), isPublicAddress(plain));
        assert.equal(canonicalAddress(`::ffff:${plain}`), plain);
      }),
      { numRuns: 5_000 },
    );
  });

  it("never when an IPv4 address is packed into it another way", () => {
    fc.assert(
      fc.property(ipv4, ([a, b, c, d]) => {
        const packed = `${hex(a, b)}:${hex(c, d)}`;
        for (const form of ["::", "::ffff:0:", "64:ff9b::", "64:ff9b:1::", "2a00:1:2:3:0:5efe:"]) {
          assert.equal(isPublicAddress(form + packed), false, form + packed);
        }
        assert.equal(isPublicAddress(`2002:${packed}::1`), false);
        assert.equal(isPublicAddress(`2001:0:${packed}::1`), false);
      }),
      { numRuns: 5_000 },
    );
  });

  it("never outside 2000::/3", () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const first = groups[0] ?? 0;
        fc.pre(first < 0x2000 || first > 0x3fff);
        const address = groups.map((one) => one.toString(16)).join(":");
        fc.pre(!address.startsWith("0:0:0:0:0:ffff:"));
        assert.equal(isPublicAddress(address), false);
      }),
      { numRuns: 5_000 },
    );
  });

  it("only when both layers say so: the list alone bars the private ranges too", () => {
    for (const address of ["127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1"]) {
      assert.equal(isSpecial(address, "ipv4"), true, address);
    }
    for (const address of ["::1", "fe80::1", "fc00::1", "64:ff9b::1", "2002::1", "2001::1"]) {
      assert.equal(isSpecial(address, "ipv6"), true, address);
    }
    assert.equal(isSpecial("8.8.8.8", "ipv4"), false);
    assert.equal(isSpecial("2606:4700:4700::1111", "ipv6"), false);
  });
});
