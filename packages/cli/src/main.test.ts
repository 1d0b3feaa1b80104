/** The command line as a process, against a relay that says what the test tells it to. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type Ran, runCli, startTestRelay } from "./test-relay.ts";

const secret = `crk_${"a".repeat(49)}`;
const token = "the-admin-token-of-the-test";
const error = (message: string) => ({
  type: "error",
  error: { type: "x", message },
  request_id: "r",
});

const oneLine = ({ code, stdout, stderr }: Ran, expected: RegExp): void => {
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, expected);
  assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
  assert.ok(!stderr.includes(token));
};

describe("an output that nobody reads to its end", () => {
  it("ends the command without a word", { skip: process.platform === "win32" }, async (t) => {
    const row = { id: "ann", name: "x".repeat(1000), organization_id: null, created_at: "2026" };
    const relay = await startTestRelay(t, () => ({
      status: 200,
      body: { data: Array(1000).fill(row), next_cursor: null },
    }));
    const main = new URL("main.ts", import.meta.url).pathname;
    const child = spawn(process.execPath, [main, "users", "list"], {
      env: { ...process.env, CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.stdout.once("data", () => child.stdout.destroy());
    const [code] = await once(child, "close");
    assert.deepEqual([code, stderr], [141, ""]);
  });
});

describe("claude-relay run", () => {
  it("is not given a program without a name", async () => {
    const ran = await runCli(["run", "--", ""], { HOME: "/nowhere" });
    oneLine(ran, /What is to be run\? claude-relay run -- <command…>/);
  });
});

describe("claude-relay keys mint", () => {
  it("sends the policy, and prints the secret alone on standard output", async (t) => {
    const relay = await startTestRelay(t, () => ({
      status: 201,
      body: { label: "my-app", secret },
    }));
    const args = "keys mint my-app 200 --rpm 5 --model claude-haiku-* --model a,b --concurrency 2";
    const ran = await runCli(
      [...args.split(" "), "--door", "complete", "--expires-in-hours", "0.5"],
      { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token },
    );
    assert.equal(ran.stdout, `${secret}\n`);
    assert.equal(ran.code, 0);
    assert.ok(!ran.stderr.includes(secret) && ran.stderr.includes("my-app"));
    const [asked] = relay.asked;
    assert.deepEqual([asked?.method, asked?.path], ["POST", "/admin/keys"]);
    assert.equal(asked?.headers.authorization, `Bearer ${token}`);
    assert.deepEqual(JSON.parse(asked?.body ?? ""), {
      label: "my-app",
      requests_per_day: 200,
      models: ["claude-haiku-*", "a", "b"],
      requests_per_minute: 5,
      concurrency: 2,
      doors: ["complete"],
      expires_in_hours: 0.5,
    });
  });

  it("refuses what cannot be meant before it asks the relay", async (t) => {
    const relay = await startTestRelay(t, () => ({ status: 201, body: { secret } }));
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token };
    for (const args of [
      ["-x"],
      ["a b"],
      ["app", "0"],
      ["app", "1.5"],
      ["app", "--door", "cellar"],
    ]) {
      assert.equal((await runCli(["keys", "mint", ...args], env)).code, 1, args.join(" "));
    }
    assert.equal(relay.asked.length, 0);
  });

  it("prints nothing as a key that is none", async (t) => {
    const body = { secret: "\u001b]0;owned\u0007" };
    const relay = await startTestRelay(t, () => ({ status: 201, body }));
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token };
    oneLine(await runCli(["keys", "mint", "app"], env), /without a key/);
  });
});

describe("claude-relay keys list", () => {
  it("turns every page", async (t) => {
    const page = (label: string, next: string | null) => ({
      status: 200,
      body: {
        data: [{ label, status: "active", created_at: "2026-11-21T00:00:00Z" }],
        next_cursor: next,
      },
    });
    const relay = await startTestRelay(t, ({ path }) =>
      path.includes("cursor=c%2F1") ? page("second", null) : page("first", "c/1"),
    );
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token };
    const { stdout, code } = await runCli(["keys", "list", "--json"], env);
    assert.equal(code, 0);
    assert.deepEqual(
      JSON.parse(stdout).map((key: { label: string }) => key.label),
      ["first", "second"],
    );
  });
});

describe("a call that goes wrong ends in one line and exit 1:", () => {
  it("nobody listens", async () => {
    const env = { CLAUDE_RELAY_URL: "http://127.0.0.1:1", ADMIN_TOKEN: token };
    oneLine(
      await runCli(["keys", "list"], env),
      /No relay answers at .*Start it with npm start, \.\/run\.sh/,
    );
  });

  it("the token is not the relay's", async (t) => {
    const relay = await startTestRelay(t, () => ({ status: 401, body: error("no") }));
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token };
    oneLine(
      await runCli(["keys", "list"], env),
      /does not accept the admin token from the environment/,
    );
  });

  it("there is no such key, or one too many", async (t) => {
    const relay = await startTestRelay(t, ({ method }) =>
      method === "DELETE"
        ? { status: 404, body: error("There is no key app.") }
        : { status: 409, body: error("app is in use.\u001b[2J") },
    );
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token };
    oneLine(
      await runCli(["keys", "revoke", "app"], env),
      /There is no key app\. `claude-relay keys list`/,
    );
    const twice = await runCli(["keys", "mint", "app"], env);
    oneLine(twice, /app is in use\. \[2J \(claude-relay keys rotate app; .*keys revoke app\.\)/);
  });

  it("the relay asks to come again later", async (t) => {
    const busy = { status: 503, headers: { "retry-after": "7" }, body: error("Storage is down.") };
    const relay = await startTestRelay(t, () => busy);
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token };
    oneLine(await runCli(["usage"], env), /Storage is down\. Try again in 7 s\./);
  });

  it("something else answers there", async (t) => {
    const relay = await startTestRelay(t, () => ({ status: 200, body: "<html>" }));
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token };
    oneLine(await runCli(["keys", "list"], env), /is not claude-relay/);
    oneLine(await runCli(["health"], env), /is no healthy relay/);
  });
});

describe("the admin token", () => {
  it("does not follow a redirect", async (t) => {
    const thief = await startTestRelay(t, () => ({ status: 200, body: { data: [] } }));
    const relay = await startTestRelay(t, () => ({
      status: 307,
      headers: { location: `${thief.url}/admin/keys` },
      body: "",
    }));
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token };
    oneLine(await runCli(["keys", "list"], env), /That is not followed/);
    assert.equal(thief.asked.length, 0);
  });

  it("does not take a proxy that the environment names", async (t) => {
    const proxy = await startTestRelay(t, () => ({ status: 200, body: { data: [] } }));
    const relay = await startTestRelay(t, () => ({ status: 200, body: { data: [] } }));
    const env = {
      CLAUDE_RELAY_URL: relay.url,
      ADMIN_TOKEN: token,
      NODE_USE_ENV_PROXY: "1",
      HTTP_PROXY: proxy.url,
      http_proxy: proxy.url,
    };
    assert.equal((await runCli(["keys", "list"], env)).code, 0);
    assert.deepEqual([proxy.asked.length, relay.asked.length], [0, 1]);
  });

  it("is not needed to ask for health, and not sent", async (t) => {
    const body = { status: "healthy", version: "1.2.3", upstream: "simulator" };
    const relay = await startTestRelay(t, () => ({ status: 200, body }));
    const { stdout, code } = await runCli(["--url", relay.url, "health"], { ADMIN_TOKEN: token });
    assert.deepEqual(
      [code, stdout],
      [0, `healthy: ${relay.url}, version 1.2.3, upstream simulator\n`],
    );
    assert.equal(relay.asked[0]?.headers.authorization, undefined);
  });
});

describe("claude-relay start", { skip: process.platform === "win32" }, () => {
  it("runs the server in this folder, passes SIGTERM on and ends with its exit code", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "claude-relay-cli-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const main = new URL("main.ts", import.meta.url).pathname;
    const env = { PATH: process.env["PATH"] ?? "", PORT: "0", DATA_DIR: join(folder, "data") };
    const child = spawn(process.execPath, [main, "start"], {
      cwd: folder,
      env,
      stdio: ["ignore", "pipe", "ignore"],
    });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      const wasUp = said.includes("claude-relay is up");
      said += chunk;
      if (!wasUp && said.includes("claude-relay is up")) {
        child.kill("SIGTERM");
      }
    });
    const [code] = await once(child, "close");
    assert.equal(code, 0, said);
    assert.match(said, /claude-relay is down/);
  });

  it("that cannot start says so with the server's words and exit 1", async () => {
    const { code, stderr } = await runCli(["start"], { PORT: "no port" });
    assert.equal(code, 1);
    assert.match(stderr, /cannot start:\n.*PORT/);
  });
});
