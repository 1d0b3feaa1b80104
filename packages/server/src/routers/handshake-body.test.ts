import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Settings } from "typebox/system";
import { RouterRefusal } from "../pipeline/router-ports.ts";
import { readHandshake } from "./handshake-body.ts";
import { handshakeBody } from "./testing/router-side.ts";

const messageFor = (body: unknown): string => {
  try {
    readHandshake(body);
  } catch (error) {
    assert.ok(error instanceof RouterRefusal);
    assert.equal(error.code, "invalid_request");
    return error.message;
  }
  return "accepted";
};

const wrong: Readonly<Record<string, readonly unknown[]>> = {
  v: [0, 2, "1", null, true, [1], {}],
  router_identity: [
    null,
    7,
    ["a"],
    {},
    "a\nb",
    "a\u0000",
    "\u001b[2J",
    "\u009b",
    "\ud800",
    "a\u202eb",
    "a\u200bb",
    "\ufeffa",
    "a\u2028b",
    "a".repeat(129),
  ],
  router_id: [
    null,
    7,
    [],
    {},
    "",
    "-a",
    ".a",
    "a b",
    "a\n",
    "ä",
    "__proto__",
    "a".repeat(65),
    "a/b",
    "a:b",
  ],
  timestamp: [
    null,
    true,
    [],
    {},
    "",
    1.5,
    -1,
    1e12,
    "1e3",
    "0x10",
    " 1",
    "01",
    "+1",
    "1790000000.0",
  ],
  challenge: [
    null,
    7,
    [],
    "c_",
    `c_${"A".repeat(32)}`,
    `c_${"a".repeat(31)}`,
    `c_${"a".repeat(33)}`,
  ],
  nonce: [
    null,
    1234567890123456,
    [],
    "",
    "a".repeat(15),
    "a".repeat(65),
    `${"a".repeat(20)}\n`,
    "a-".repeat(10),
  ],
  mac: [null, 7, "", "md5", "HMAC-SHA256", "sha512", ["hmac-sha256"]],
  signature: [null, 7, [], {}, "", "a".repeat(1025)],
};

describe("a handshake's fields", () => {
  for (const [field, values] of Object.entries(wrong)) {
    it(`are refused by name: ${field}`, () => {
      for (const value of values) {
        const { timestamp, ...rest } = handshakeBody("x");
        const body = { ...rest, ...(field !== "challenge" && { timestamp }), [field]: value };
        assert.match(messageFor(body), new RegExp(`^${field}: must be `), JSON.stringify(value));
      }
    });
  }

  it("are missed by name, all at once", () => {
    assert.equal(
      messageFor({ v: 1 }),
      "router_identity: field required; router_id: field required; nonce: field required.",
    );
    assert.equal(messageFor({}), "router_identity: field required; router_id: field required.");
  });

  it("must say by exactly one means that they are of now", () => {
    const { timestamp: _, ...timeless } = handshakeBody("x");
    assert.match(
      messageFor(timeless),
      /^timestamp, challenge: send exactly one of them, not neither/,
    );
    const both = { ...handshakeBody("x"), challenge: `c_${"a".repeat(32)}` };
    assert.match(messageFor(both), /not both/);
  });

  it("are refused when unknown, prototypes' names too", () => {
    const body = handshakeBody("x");
    for (const name of ["timestmap", "constructor", "toString"]) {
      assert.equal(messageFor({ ...body, [name]: 1 }), `${name}: unknown field, leave it out.`);
    }
    const parsed = JSON.parse(JSON.stringify(body).replace("{", '{"__proto__":{"v":1},'));
    assert.equal(messageFor(parsed), "__proto__: unknown field, leave it out.");
  });

  it("must be in a JSON object", () => {
    for (const body of [null, undefined, 7, "{}", true, [], [{}]]) {
      assert.equal(messageFor(body), "body: must be a JSON object.");
    }
  });

  it("told of are few, however many are wrong", () => {
    Settings.Set({ maxErrors: 10_000 });
    const body = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`x${n}`, n]));
    assert.ok(messageFor({ ...body, v: 1 }).length < 1000);
  });

  it("of any JSON are read or refused, never a fault of ours", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (value, named) => {
        messageFor(
          named && typeof value === "object" ? { ...handshakeBody("x"), ...value } : value,
        );
      }),
    );
  });
});
