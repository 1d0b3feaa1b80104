import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isEnrollmentLink, readAddress } from "./enrollment-link.ts";

describe("a relay's address", () => {
  it("as a link holds the code too", () => {
    const link = " https://relay.example.com/#code=crc_a%2Bb ";
    assert.deepEqual(readAddress(link), { address: "https://relay.example.com", code: "crc_a+b" });
    assert.ok(isEnrollmentLink(link));
  });

  it("alone has no code, and is no link", () => {
    for (const text of [
      "https://relay.example.com",
      "https://relay.example.com/#",
      "crc_abc",
      "",
    ]) {
      assert.equal(readAddress(text).code, null);
      assert.ok(!isEnrollmentLink(text));
    }
  });

  it("without a scheme is https, on this machine http", () => {
    const address = (text: string) => readAddress(text).address;
    assert.equal(address("relay.example.com"), "https://relay.example.com");
    assert.equal(address("localhost:3001/"), "http://localhost:3001");
    assert.equal(address("127.0.0.1:3001"), "http://127.0.0.1:3001");
    assert.equal(address("localhost.evil.example"), "https://localhost.evil.example");
    assert.equal(address("http://10.0.0.1:3001"), "http://10.0.0.1:3001");
  });
});
