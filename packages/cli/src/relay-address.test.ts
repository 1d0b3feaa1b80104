import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fault } from "./fault.ts";
import { relayAddress, relayToConnect } from "./relay-address.ts";
import { readSettings } from "./settings.ts";

const nowhere = "/nonexistent";
const address = (environment: Record<string, string>, given?: string) =>
  relayAddress(readSettings(environment, nowhere), given);

describe("the relay's address", () => {
  it("is --url, then CLAUDE_RELAY_URL, then HOST and PORT, then the server's defaults", () => {
    const environment = { CLAUDE_RELAY_URL: "https://b.example/", HOST: "127.0.0.2", PORT: "8799" };
    assert.equal(address(environment, "https://a.example").url, "https://a.example");
    assert.equal(address(environment).url, "https://b.example");
    assert.equal(address({ ...environment, CLAUDE_RELAY_URL: "" }).url, "http://127.0.0.2:8799");
    assert.deepEqual(address({}), { url: "http://127.0.0.1:3001", loopback: true });
  });

  it("of a relay that listens everywhere is loopback", () => {
    assert.equal(address({ HOST: "0.0.0.0" }).url, "http://127.0.0.1:3001");
    assert.equal(address({ HOST: "::" }).url, "http://[::1]:3001");
    assert.equal(address({ HOST: "fd00::1" }).url, "http://[fd00::1]:3001");
  });

  it("counts as loopback only when it is, however it is spelled", () => {
    for (const url of [
      "http://localhost:1",
      "http://127.1:1",
      "http://[::1]:1",
      "http://2130706433:1",
    ]) {
      assert.equal(address({}, url).loopback, true, url);
    }
    for (const url of [
      "http://127.0.0.1.example:1",
      "http://localhost.example:1",
      "http://10.0.0.1:1",
      "http://[fe80::1]:1",
    ]) {
      assert.equal(address({}, url).loopback, false, url);
    }
  });

  it("keeps a path it is mounted on", () => {
    assert.equal(address({}, "https://a.example/relay/").url, "https://a.example/relay");
  });

  it("that is none is refused with the setting's name", () => {
    assert.throws(() => address({}, "relay.example:80"), /--url must be an address/);
    assert.throws(
      () => address({ CLAUDE_RELAY_URL: "ftp://a.example" }),
      /CLAUDE_RELAY_URL must be/,
    );
    assert.throws(() => address({}, "https://user:pass@a.example"), /must hold no user name/);
    assert.throws(() => address({ PORT: "0" }), /PORT=0.*--url/);
    assert.throws(() => address({ PORT: "99999" }), /PORT must be a whole number/);
  });
});

describe("a relay to connect to", () => {
  it("may speak plain HTTP at home only", () => {
    assert.equal(
      relayToConnect("http://192.168.1.20:3001/", undefined).url,
      "http://192.168.1.20:3001",
    );
    assert.throws(() => relayToConnect("http://relay.example.com", undefined), /is not https/);
    assert.equal(relayToConnect("https://relay.example.com", undefined).loopback, false);
  });

  it("may come as a link that holds the enrollment code", () => {
    const link = "https://relay.example.com/#code=crc_abc";
    assert.deepEqual(relayToConnect(link, undefined), {
      url: "https://relay.example.com",
      loopback: false,
      code: "crc_abc",
    });
    assert.equal(relayToConnect(link, "given").code, "given");
  });

  it("without http before it is guessed at, and not taken", () => {
    const guesses = {
      "localhost:3001": "http://localhost:3001",
      "192.168.1.20:3001/": "http://192.168.1.20:3001/",
      "[::1]:3001": "http://[::1]:3001",
      "relay.example.com:8443": "https://relay.example.com:8443",
    };
    for (const [text, guess] of Object.entries(guesses)) {
      assert.throws(
        () => relayToConnect(text, undefined),
        (error: Error) => error.message.endsWith(`Did you mean ${guess}?`),
        text,
      );
    }
    for (const text of ["ftp://relay", "", "a b", "//relay", "htp://x.y", "u:p@x"]) {
      assert.throws(() => relayToConnect(text, undefined), /relay\.example\.com\.$/, text);
    }
  });

  it("that is no address is refused", () => {
    for (const text of [
      "relay.example.com",
      "ftp://relay",
      "",
      "https://u:p@relay",
      "https://r/?a=1",
    ]) {
      assert.throws(() => relayToConnect(text, undefined), Fault, text);
    }
  });
});
