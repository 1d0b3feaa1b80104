import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CallError } from "../../bridge/call-error.ts";
import { relayChoiceOf } from "./relay-choice.ts";

describe("an address that someone entered", () => {
  it("is taken with and without a scheme, a slash and /bootstrap", () => {
    for (const [entered, relayUrl] of [
      ["https://relay.example.com", "https://relay.example.com"],
      [" https://relay.example.com/ ", "https://relay.example.com"],
      ["relay.example.com", "https://relay.example.com"],
      ["relay.example.com:8443/claude/", "https://relay.example.com:8443/claude"],
      ["https://relay.example.com/bootstrap", "https://relay.example.com"],
      ["localhost:3001", "http://localhost:3001"],
      ["127.0.0.1:3001", "http://127.0.0.1:3001"],
      ["[::1]:3001", "http://[::1]:3001"],
      ["https://localhost:3001", "https://localhost:3001"],
      ["http://192.168.1.7:3001", "http://192.168.1.7:3001"],
      ["192.168.1.7:3001", "https://192.168.1.7:3001"],
      ["localhost.example.com", "https://localhost.example.com"],
    ] as const) {
      assert.equal(relayChoiceOf(entered, undefined).address.relayUrl, relayUrl, entered);
    }
  });

  it("may have the code behind it; the one entered beside it goes before", () => {
    for (const [entered, code, found] of [
      ["https://relay.example.com/#code=crc_abc", undefined, "crc_abc"],
      ["relay.example.com#code=crc_abc", "", "crc_abc"],
      ["https://relay.example.com/#code=crc_abc", " crc_def ", "crc_def"],
      ["https://relay.example.com/#more", undefined, undefined],
      ["https://relay.example.com/#code=", undefined, undefined],
      ["https://relay.example.com/", "   ", undefined],
    ] as const) {
      assert.equal(relayChoiceOf(entered, code).code, found, entered);
    }
  });

  it("is refused with the remedy where it is none to use", () => {
    for (const [entered, says] of [
      ["", /No relay is named/],
      ["#code=crc_abc", /No relay is named/],
      [
        "http://relay.example.com",
        /^The address is http:\/\/ to relay\.example\.com, a public host/,
      ],
      ["http://8.8.8.8", /public host/],
      ["ws://relay.example.com", /begins with https/],
      ["https://relay.example.com/?x=1", /no user name, password, "\?"/],
      ["https://a b", /begins with https/],
      ["mailto:x@example.com", /The address must be/],
    ] as const) {
      assert.throws(
        () => relayChoiceOf(entered, undefined),
        (error: unknown) =>
          error instanceof CallError && error.code === "invalid_params" && says.test(error.message),
        entered,
      );
    }
  });
});
