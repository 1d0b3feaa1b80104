/** Configuration as an operator writes it: files in the folder, the environment, the words on the terminal. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { failToStart } from "./harness/failing-start.ts";
import { startRelay } from "./harness/relay.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const folder = (t: TestContext, files: Record<string, string> = {}): string => {
  const directory = tempFolder(t);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(directory, name), content);
  }
  return directory;
};

describe("a bad configuration", { concurrency: 4 }, () => {
  it("stops the start with exit 1 and every fault at once, from the files too, telling no secret", async (t) => {
    const directory = folder(t, {
      ".env": [
        "JWT_SECRET=$(openssl rand -base64 32)",
        "ADMIN_TOKEN=tell-no-one # too short",
        "BOOTSTRAP=everyone",
        "RATE_LIMIT_WINDOW=soon",
      ].join("\n"),
      "claude-relay-config.json": '{"service":{"port":"seven"},"security":{"admin_token":"tell-2"}',
    });
    const { code, stdout, stderr } = await failToStart(directory, {
      ANTHROPIC_API_KEY: "tell-3",
      LOG_LEVEL: "loud",
    });
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /^claude-relay cannot start:\n( {2}- .+\n){7}$/);
    for (const words of [
      /claude-relay-config\.json cannot be used: it is not a valid JSON object\./,
      /JWT_SECRET holds a shell expression, and \.env files are not run by a shell/,
      /ADMIN_TOKEN must be at least 16 bytes long; make one with: openssl rand/,
      /ANTHROPIC_API_KEY must be at least 8 bytes/,
      /BOOTSTRAP must be one of open, code, approve, not "everyone"/,
      /RATE_LIMIT_WINDOW must be milliseconds or a number with ms, s, m or h/,
      /LOG_LEVEL must be one of/,
    ]) {
      assert.match(stderr, words);
    }
    assert.doesNotMatch(stderr, /tell/);
  });

  it("is production without a key and secrets: no simulator, no generated secret", async (t) => {
    const { code, stderr } = await failToStart(folder(t), { NODE_ENV: "production" });
    assert.equal(code, 1);
    for (const name of ["ANTHROPIC_API_KEY", "JWT_SECRET", "ADMIN_TOKEN", "PROXY_BASE_URL"]) {
      assert.match(stderr, new RegExp(`  - ${name} is required in production`));
    }
  });

  it("is HOST=0.0.0.0 with nothing else, and BOOTSTRAP=open on a public base URL", async (t) => {
    const open = await failToStart(folder(t), { HOST: "0.0.0.0", BOOTSTRAP: "open" });
    assert.equal(open.code, 1);
    assert.match(open.stderr, /JWT_SECRET is required when HOST is not loopback \(0\.0\.0\.0\)/);
    assert.match(open.stderr, /BOOTSTRAP=open hands a token to anyone/);
    const tunnelled = await failToStart(folder(t), {
      BOOTSTRAP: "open",
      PROXY_BASE_URL: "https://relay.example.com",
    });
    assert.equal(tunnelled.code, 1);
    assert.match(tunnelled.stderr, /^claude-relay cannot start:\n {2}- BOOTSTRAP=open .*\n$/);
  });

  it("is a price table that is missing or broken: it is named with all that is wrong, beside other faults", async (t) => {
    const missing = await failToStart(folder(t), { PRICE_TABLE: "nowhere.json", BOOTSTRAP: "x" });
    assert.equal(missing.code, 1);
    assert.match(
      missing.stderr,
      /PRICE_TABLE \(nowhere\.json\) cannot be read: ENOENT.*name a JSON file this user may read\./,
    );
    assert.match(missing.stderr, /BOOTSTRAP must be one of/);
    for (const [content, fault] of [
      ["[]", /PRICE_TABLE \(prices\.json\) cannot be used: the price table is not valid: /],
      [
        '{"models":[],"x":1,"web_search":0}',
        /\/x: unknown field.*; .*\/web_search: .*docs\/pricing\.md/,
      ],
      [
        "API_KEY=tell-no-one",
        /PRICE_TABLE \(prices\.json\) cannot be used: it is not valid JSON\./,
      ],
    ] as const) {
      const broken = await failToStart(folder(t, { "prices.json": content }), {
        PRICE_TABLE: "prices.json",
      });
      assert.equal(broken.code, 1);
      assert.match(broken.stderr, fault);
      assert.doesNotMatch(broken.stderr, /tell/);
    }
  });
});

describe("a good configuration", () => {
  it("comes from .env and claude-relay-config.json, and the environment wins", async (t) => {
    const dataDir = folder(t, {
      ".env": "ALLOWED_MODELS=claude-haiku-* # the small ones\nRATE_LIMIT_MAX=7\n",
      "claude-relay-config.json": JSON.stringify({
        policy: { allowed_models: ["claude-opus-*"], max_payload_size: "2KiB" },
        service: { proxy_base_url: "http://localhost:9999", port: 1 },
      }),
    });
    // The harness starts it in its data folder, with PORT=0 and a RATE_LIMIT_MAX in the environment.
    const relay = await startRelay({ dataDir, env: { RATE_LIMIT_MAX: "3" } });
    t.after(() => relay.stop());
    const boot = await fetch(`${relay.url}/bootstrap`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ device_id: "configured-device" }),
    });
    const { wrapper_token, proxy_base_url } = (await boot.json()) as Record<string, string>;
    assert.equal(proxy_base_url, "http://localhost:9999");
    const ask = async (body: unknown) => {
      const response = await fetch(`${relay.url}/v1/messages`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "anthropic-version": "2023-06-01",
          "x-api-key": wrapper_token ?? "",
        },
        body: JSON.stringify(body),
      });
      await response.text();
      return response.status;
    };
    const question = { max_tokens: 9, messages: [{ role: "user", content: "hi" }] };
    assert.equal(await ask({ ...question, model: "claude-opus-4-5" }), 400);
    assert.equal(await ask({ ...question, model: "claude-haiku-4-5" }), 200);
    assert.equal(await ask({ ...question, model: "claude-haiku-4-5", x: "y".repeat(2048) }), 413);
    assert.equal(await ask({ ...question, model: "claude-haiku-4-5" }), 429);
  });
});
