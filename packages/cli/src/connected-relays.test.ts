import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import {
  connectedRelay,
  forgetRelay,
  readConnectedRelays,
  rememberAsking,
  rememberRelay,
} from "./connected-relays.ts";
import { Fault } from "./fault.ts";

const folder = (t: TestContext): string => {
  const made = mkdtempSync(join(tmpdir(), "claude-relay-relays-"));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return join(made, "claude-relay");
};
const one = { url: "https://one.example", store: "file", made: true } as const;
const two = { url: "https://two.example", store: "keychain", made: false } as const;

describe("the connected relays", () => {
  it("are none at first", (t) => {
    const place = folder(t);
    assert.deepEqual(readConnectedRelays(place), { all: [], usual: null, asked: [] });
    assert.throws(() => connectedRelay(place, null), /not connected to a relay: .*connect <url>/);
  });

  it("have the last connected for the usual one, also when it was known before", (t) => {
    const place = folder(t);
    rememberRelay(place, one);
    rememberRelay(place, two);
    assert.deepEqual(connectedRelay(place, null), two);
    assert.deepEqual(connectedRelay(place, one.url), one);
    rememberRelay(place, one);
    assert.deepEqual(readConnectedRelays(place), { all: [two, one], usual: one, asked: [] });
  });

  it("that only were asked are remembered apart, until they let this machine in", (t) => {
    const place = folder(t);
    rememberAsking(place, one);
    assert.throws(() => connectedRelay(place, one.url), Fault);
    assert.deepEqual(readConnectedRelays(place), { all: [], usual: null, asked: [one] });
    rememberRelay(place, one);
    rememberAsking(place, { ...one, store: "keychain" });
    assert.deepEqual(readConnectedRelays(place), { all: [one], usual: one, asked: [] });
    rememberAsking(place, two);
    forgetRelay(place, two.url);
    assert.deepEqual(readConnectedRelays(place).asked, []);
  });

  it("stay made by connecting when one that found the sign-in there is the last to say so", (t) => {
    const place = folder(t);
    rememberRelay(place, one);
    rememberRelay(place, { ...one, made: false });
    assert.deepEqual(connectedRelay(place, one.url), one);
    rememberAsking(place, { ...two, made: true });
    rememberRelay(place, two);
    assert.equal(connectedRelay(place, two.url).made, true);
  });

  it("are named in a command that a shell takes as it is, whatever the address", (t) => {
    const place = folder(t);
    const url = "https://one.example/$(id);x";
    assert.throws(
      () => connectedRelay(place, url),
      / connect ['"]https:\/\/one\.example\/\$\(id\);x['"]\./,
    );
    assert.throws(
      () => connectedRelay(place, "\u001b[2J\u202ex"),
      (error: Error) => !["\u001b", "\u202e"].some((sign) => error.message.includes(sign)),
    );
  });

  it("without the usual one have the one before it", (t) => {
    const place = folder(t);
    rememberRelay(place, one);
    rememberRelay(place, two);
    forgetRelay(place, two.url);
    assert.deepEqual(connectedRelay(place, null), one);
    assert.throws(
      () => connectedRelay(place, two.url),
      /not connected to .*two.* It is connected to .*one/,
    );
  });

  it("stand in a file of their owner's", { skip: process.platform === "win32" }, (t) => {
    const place = folder(t);
    rememberRelay(place, one);
    assert.equal(statSync(join(place, "relays.json")).mode & 0o777, 0o600);
    assert.equal(statSync(place).mode & 0o777, 0o700);
  });

  it("in a damaged file are none of those that may be meant", (t) => {
    const place = folder(t);
    rememberRelay(place, one);
    for (const text of [
      "",
      "{",
      '{"relays":[]}',
      '{"default":1}',
      '{"relays":{"https://x":{"store":"y","made":true}}}',
      '{"relays":{"https://x":{"store":"file"}}}',
      '{"relays":{"no url":{"store":"file","made":true}}}',
    ]) {
      writeFileSync(join(place, "relays.json"), text);
      assert.throws(
        () => readConnectedRelays(place),
        (error) => error instanceof Fault,
        text,
      );
    }
  });
});
