import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { describe, it } from "node:test";
import { clientIp, isFromThisMachine } from "./client-ip.ts";

const from = (
  remoteAddress: string | undefined,
  headers: Record<string, string> = {},
): IncomingMessage =>
  ({ socket: { remoteAddress }, headers: { host: "localhost", ...headers } }) as never;

const forwarded = (value: string) => from("10.0.0.1", { "x-forwarded-for": value });

describe("the client's address", () => {
  it("is the socket's without trusted proxies, whatever the header says", () => {
    assert.equal(clientIp(forwarded("1.2.3.4"), 0), "10.0.0.1");
    assert.equal(clientIp(from("::ffff:10.0.0.1"), 0), "10.0.0.1");
    assert.equal(clientIp(from("2001:db8::1"), 0), "2001:db8::1");
    assert.equal(clientIp(from(undefined), 0), "unknown");
  });

  it("is as many steps from the right as proxies are trusted", () => {
    const request = forwarded("6.6.6.6, 1.2.3.4 ,::ffff:5.6.7.8");
    assert.equal(clientIp(request, 1), "5.6.7.8");
    assert.equal(clientIp(request, 2), "1.2.3.4");
    assert.equal(clientIp(request, 3), "6.6.6.6");
  });

  it("is the socket's when the header is missing, too short or no address", () => {
    assert.equal(clientIp(from("10.0.0.1"), 1), "10.0.0.1");
    assert.equal(clientIp(forwarded("1.2.3.4"), 2), "10.0.0.1");
    for (const value of ["", "unknown", "1.2.3.4:80", "_hidden", "1.2.3.4,", "<script>"]) {
      assert.equal(clientIp(forwarded(value), 1), "10.0.0.1", value);
    }
  });
});

describe("a request from this machine", () => {
  it("comes over loopback, by loopback's name, and through no proxy", () => {
    for (const address of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
      for (const host of ["localhost", "localhost:3001", "127.0.0.1:1", "[::1]", "[::1]:3001"]) {
        assert.equal(isFromThisMachine(from(address, { host })), true, `${address} ${host}`);
      }
    }
    for (const address of ["10.0.0.1", "::2", "::ffff:10.0.0.1", ""]) {
      assert.equal(isFromThisMachine(from(address)), false, address);
    }
    for (const host of [
      "relay.test",
      "",
      "localhost.relay.test",
      "127.0.0.1.relay.test",
      "[::2]",
    ]) {
      assert.equal(isFromThisMachine(from("127.0.0.1", { host })), false, host);
    }
    for (const name of ["forwarded", "x-forwarded-for", "x-forwarded-host", "via", "x-real-ip"]) {
      assert.equal(isFromThisMachine(from("127.0.0.1", { [name]: "" })), false, name);
    }
  });
});
