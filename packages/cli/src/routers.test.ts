/** `claude-relay router` as a process, against a relay that says what the test tells it to. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runCli, startTestRelay } from "./test-relay.ts";

const secret = `crr_${"aB-_".repeat(10)}xyz`;
const token = "the-admin-token-of-the-test";
const envOf = (url: string) => ({ CLAUDE_RELAY_URL: url, ADMIN_TOKEN: token });
const error = (message: string) => ({
  type: "error",
  error: { type: "x", message },
  request_id: "r",
});

describe("claude-relay router add", () => {
  it("sends the policy, and prints the lines to paste, the secret once", async (t) => {
    const relay = await startTestRelay(t, () => ({ status: 201, body: { id: "office", secret } }));
    const args =
      "router add office --rpm 5 --model claude-haiku-* --model a,b --user ann --organization lab";
    const ran = await runCli(
      [...args.split(" "), "--relay-url", "HTTP://Relay.Lan:8899/"],
      envOf(relay.url),
    );
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual(ran.stdout.split("\n"), [
      ":global ClaudeRelayEnabled true",
      ':global ClaudeRelayURL "http://relay.lan:8899"',
      ':global ClaudeRelayRouterId "office"',
      `:global ClaudeRelayHandshakeSecret "${secret}"`,
      "",
    ]);
    assert.ok(!ran.stderr.includes(secret));
    assert.match(
      ran.stderr,
      /shown this once[\s\S]*run bot-config\n[\s\S]*run modules\/claude-relay\n[\s\S]*\[\$ClaudeRelayInitCloud\]/,
    );
    assert.doesNotMatch(ran.stderr, /Warning/);
    const [asked] = relay.asked;
    assert.deepEqual([asked?.method, asked?.path], ["POST", "/admin/routers"]);
    assert.equal(asked?.headers.authorization, `Bearer ${token}`);
    assert.deepEqual(JSON.parse(asked?.body ?? ""), {
      id: "office",
      models: ["claude-haiku-*", "a", "b"],
      requests_per_minute: 5,
      user_id: "ann",
      organization_id: "lab",
    });
  });

  it("says in a comment where the relay's address goes when it does not know it", async (t) => {
    const relay = await startTestRelay(t, () => ({ status: 201, body: { secret } }));
    const ran = await runCli(["routers", "add", "office"], envOf(relay.url));
    assert.match(ran.stdout, /^# MISSING: where the relay is\. .* :global ClaudeRelayURL ".*"$/m);
    assert.deepEqual(JSON.parse(relay.asked[0]?.body ?? ""), { id: "office" });
  });

  it("warns of an address that the router will refuse or that serves no routers", async (t) => {
    const relay = await startTestRelay(t, () => ({ status: 201, body: { secret } }));
    const port = new URL(relay.url).port;
    for (const [url, says] of [
      ["http://203.0.113.7:8899", /^Warning: Plain http to 203\.0\.113\.7.*ClaudeRelayAllowHTTP/m],
      ["http://[2001:db8::1]:8899", /^Warning: Plain http to 2001:db8::1/m],
      ["http://relay.example.com:8899", /^Warning: .*if relay\.example\.com leads to a public/m],
      [`https://192.168.88.10:${port}`, /^Warning: Port \d+ is the relay's for apps.*8899/m],
      ["http://192.168.88.10", /^Warning: The address names no port.*8899/m],
    ] as const) {
      const ran = await runCli(["router", "add", "office", "--relay-url", url], envOf(relay.url));
      assert.equal(ran.code, 0, ran.stderr);
      assert.match(ran.stderr, says);
      assert.equal(ran.stdout.split("\n").length, 5, "the lines are printed all the same");
    }
    for (const url of [
      "https://relay.example.com",
      "http://[fd12:3456::2]:8899",
      "http://nas:8899",
    ]) {
      const ran = await runCli(["router", "add", "office", "--relay-url", url], envOf(relay.url));
      assert.doesNotMatch(ran.stderr, /Warning/, url);
    }
  });

  it("refuses what cannot be meant before it asks the relay", async (t) => {
    const relay = await startTestRelay(t, () => ({ status: 201, body: { secret } }));
    for (const args of [
      ["-x"],
      ["a b"],
      ['a"b'],
      ["office", "--rpm", "0"],
      ["office", "--relay-url", "192.168.88.10:8899"],
      ["office", "--relay-url", "ftp://relay"],
      ["office", "--relay-url", "http://user:pass@relay"],
      ["office", "--relay-url", "http://relay/$[:put x]"],
      ["office", "--relay-url", 'http://relay/"'],
      ["office", "--relay-url", "http://relay/?a=b"],
    ]) {
      const ran = await runCli(["router", "add", ...args], envOf(relay.url));
      assert.deepEqual([ran.code, ran.stdout], [1, ""], args.join(" "));
    }
    assert.equal(relay.asked.length, 0);
  });

  it("prints nothing as a secret that is none", async (t) => {
    for (const wrong of [undefined, "crr_short", `${secret}x`, `"\n${secret}`, "\u001b]0;owned"]) {
      const relay = await startTestRelay(t, () => ({ status: 201, body: { secret: wrong } }));
      const ran = await runCli(["router", "add", "office"], envOf(relay.url));
      assert.deepEqual([ran.code, ran.stdout], [1, ""]);
      assert.match(ran.stderr, /answered without a secret/);
    }
  });

  it("says both ways out when the name is in use", async (t) => {
    const body = error('A router "office" exists: rotate it.');
    const relay = await startTestRelay(t, () => ({ status: 409, body }));
    const ran = await runCli(["router", "add", "office"], envOf(relay.url));
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /exists: rotate it\. \(claude-relay router rotate office; .*revoke/);
  });

  it("says once when to try again, in the relay's words or its own", async (t) => {
    for (const [words, says] of [
      ["No database. Try again shortly.", /No database\. Try again shortly\.$/],
      ["Too much.", /Too much\. Try again in 5 s\.$/],
    ] as const) {
      const answer = { status: 503, body: error(words), headers: { "retry-after": "5" } };
      const relay = await startTestRelay(t, () => answer);
      const ran = await runCli(["router", "add", "office"], envOf(relay.url));
      assert.match(ran.stderr.trim(), says);
    }
  });
});

describe("claude-relay router list, rotate and revoke", () => {
  const router = {
    id: "office",
    status: "active",
    enrolled_by: "shared_secret",
    identity: "Bü\u202ero\u001b[2J",
    created_at: "2026-11-21T00:00:00.000Z",
    last_seen_at: null,
    requests_per_minute: 7,
    models: ["opus"],
    user_id: null,
    organization_id: "lab",
  };

  it("list turns every page into one table, with nothing that rewrites the terminal", async (t) => {
    const relay = await startTestRelay(t, ({ path }) => ({
      status: 200,
      body: path.includes("cursor=")
        ? { data: [{ ...router, id: "shop" }], next_cursor: null }
        : { data: [router], next_cursor: "c/1" },
    }));
    const { stdout } = await runCli(["router", "list"], envOf(relay.url));
    assert.match(stdout, /^ROUTER +STATUS +SECRET +IDENTITY/);
    assert.match(
      stdout,
      /^office +active +shared +Bü ro \[2J +2026-11-21 00:00 +- +7 +opus +- +lab$/m,
    );
    assert.match(stdout, /^shop /m);
    assert.ok(!stdout.includes("\u001b") && !stdout.includes("\u202e"));
    const json = await runCli(["routers", "list", "--json"], envOf(relay.url));
    assert.equal(JSON.parse(json.stdout).length, 2);
  });

  it("rotate prints the lines with the new secret; revoke says that it is done", async (t) => {
    const relay = await startTestRelay(t, () => ({ status: 200, body: { ...router, secret } }));
    const rotated = await runCli(["router", "rotate", "office"], envOf(relay.url));
    assert.equal(rotated.code, 0, rotated.stderr);
    assert.equal(rotated.stdout.split(secret).length, 2);
    assert.doesNotMatch(rotated.stdout, /ClaudeRelayURL/, "where the relay is has not changed");
    const revoked = await runCli(["router", "revoke", "office"], envOf(relay.url));
    assert.deepEqual([revoked.code, revoked.stdout], [0, ""]);
    assert.deepEqual(
      relay.asked.map(({ method, path }) => [method, path]),
      [
        ["POST", "/admin/routers/office/rotate"],
        ["DELETE", "/admin/routers/office"],
      ],
    );
  });

  it("rotate says how a revoked router comes back", async (t) => {
    const body = error('The router "office" is revoked: add it anew.');
    const relay = await startTestRelay(t, () => ({ status: 409, body }));
    const ran = await runCli(["router", "rotate", "office"], envOf(relay.url));
    assert.match(
      ran.stderr,
      /is revoked: add it anew\. \(A revoked one: claude-relay router add office/,
    );
  });

  it("on a router that is not there say how to see those that are", async (t) => {
    const relay = await startTestRelay(t, () => ({ status: 404, body: error("No such router.") }));
    for (const command of ["rotate", "revoke"]) {
      const ran = await runCli(["router", command, "office"], envOf(relay.url));
      assert.deepEqual([ran.code, ran.stdout], [1, ""]);
      assert.match(ran.stderr, /No such router\. `claude-relay router list`/);
    }
  });
});
