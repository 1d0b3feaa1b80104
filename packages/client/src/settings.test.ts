import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import {
  complete,
  createClient,
  fetchPage,
  models,
  RelayConfigurationError,
  streamComplete,
} from "./index.ts";
import { done, event, json, stream, text } from "./testing/relay-double.ts";
import { key, withDouble } from "./testing/with-double.ts";

const { relay } = withDouble();

const complaint = (options: object): string => {
  try {
    createClient({ url: "https://relay.example.com", key, ...options });
  } catch (error) {
    assert.ok(error instanceof RelayConfigurationError);
    return error.message;
  }
  return "";
};

describe("createClient", () => {
  it("takes http and https, ports, paths and slashes at the end", () => {
    for (const url of [
      "http://localhost:8799",
      "https://a.b/",
      "HTTPS://a.b/c//",
      " https://[::1]:1\n",
    ]) {
      assert.equal(complaint({ url }), "");
    }
  });

  it("says what is wrong with an address", () => {
    const wrong: [unknown, RegExp][] = [
      ["", /url is not set/],
      ["  ", /url is not set/],
      [undefined, /url is not set/],
      ["relay.example.com", /must begin with https/],
      ["localhost:8799", /must begin with https/],
      ["ftp://relay.example.com", /must begin with https/],
      ["https://", /not a valid URL/],
      ["https://a b", /not a valid URL/],
      ["https://user:pass@relay.example.com", /no user name/],
      ["https://relay.example.com?x=1", /no user name, password, "\?"/],
      ["https://relay.example.com/v1", /must not contain \/v1/],
      ["https://relay.example.com/v1/complete", /must not contain \/v1/],
    ];
    for (const [url, words] of wrong) {
      assert.match(complaint({ url }), words);
    }
  });

  it("says what is wrong with a key, and never shows it nor a key in the address's place", () => {
    assert.match(complaint({ key: "" }), /key is not set.*genkey/);
    for (const bad of ["crk_a\nb", "crk_ü", "crk a", "crk_\u0000"]) {
      const message = complaint({ key: bad });
      assert.match(message, /a character that no key has/);
      assert.ok(!message.includes(bad));
    }
    assert.ok(!complaint({ url: key }).includes(key));
    assert.ok(!complaint({ url: `https://${key}@example.com/?${key}` }).includes(key));
  });

  it("takes a key with a line break at its end, as files have it", async () => {
    relay().replies(text("ok"));
    await createClient({ url: relay().url, key: `${key}\n` }).complete({ prompt: "p" });
    assert.equal(relay().asked[0]?.headers.authorization, `Bearer ${key}`);
  });

  it("refuses limits that are none", async () => {
    for (const timeoutMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
      assert.match(complaint({ timeoutMs }), /timeoutMs/);
      assert.match(complaint({ idleTimeoutMs: timeoutMs }), /idleTimeoutMs/);
      const asking = createClient({ url: relay().url, key });
      await assert.rejects(asking.complete({ prompt: "p", timeoutMs }), RelayConfigurationError);
      await assert.rejects(asking.streamComplete({ prompt: "p", timeoutMs }).final(), /timeoutMs/);
    }
    for (const maxRetries of [-1, 1.5, Number.NaN]) {
      assert.match(complaint({ maxRetries }), /maxRetries/);
    }
  });
});

describe("the module's own functions", () => {
  beforeEach(() => {
    process.env["CLAUDE_RELAY_URL"] = relay().url;
    process.env["CLAUDE_RELAY_KEY"] = key;
  });
  afterEach(() => {
    delete process.env["CLAUDE_RELAY_URL"];
    delete process.env["CLAUDE_RELAY_KEY"];
  });

  it("read the environment at each call", async () => {
    relay().replies(text("ok"));
    await complete({ prompt: "p" });
    process.env["CLAUDE_RELAY_KEY"] = "crk_rotated";
    await complete({ prompt: "p" });
    const sent = relay().asked.map(({ headers }) => headers.authorization);
    assert.deepEqual(sent, [`Bearer ${key}`, "Bearer crk_rotated"]);
  });

  it("are the client's functions", async () => {
    relay().replies(stream([event("text", { text: "a" }), done()]));
    assert.equal((await streamComplete({ prompt: "p" }).final()).text, "a");
    relay().replies(json(200, { data: [], has_more: false }));
    assert.deepEqual(await models(), []);
    relay().replies(json(200, { ok: true, status: 200, final_url: "u", html: "h" }));
    assert.equal((await fetchPage({ url: "https://example.com" })).html, "h");
  });

  it("say which variable is missing", async () => {
    delete process.env["CLAUDE_RELAY_KEY"];
    await assert.rejects(complete({ prompt: "p" }), /CLAUDE_RELAY_KEY is not set/);
    process.env["CLAUDE_RELAY_URL"] = "relay.example.com";
    await assert.rejects(models(), /CLAUDE_RELAY_URL must begin with https:\/\/ or http:\/\//);
    delete process.env["CLAUDE_RELAY_URL"];
    await assert.rejects(fetchPage({ url: "u" }), /CLAUDE_RELAY_URL is not set/);
    assert.throws(() => streamComplete({ prompt: "p" }), RelayConfigurationError);
  });
});

describe("in a browser", () => {
  const pretend = (globals: Record<string, unknown>, act: () => void): void => {
    Object.assign(globalThis, globals);
    try {
      act();
    } finally {
      for (const name of Object.keys(globals)) {
        Reflect.deleteProperty(globalThis, name);
      }
    }
  };

  it("nothing works, in a page or a worker", () => {
    for (const browser of [{ window: {}, document: {} }, { importScripts: () => {} }]) {
      pretend(browser, () => {
        assert.match(complaint({}), /does not run in a browser/);
        assert.throws(() => streamComplete({ prompt: "p" }), /does not run in a browser/);
      });
    }
  });

  it("but a window without a document, as some servers have, is none", () => {
    pretend({ window: {} }, () => assert.equal(complaint({}), ""));
  });
});
