/** `claude-relay devices` and `codes` as processes, against a relay that says what the test tells it to. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it, type TestContext } from "node:test";
import type { Device } from "@claude-relay/contract";
import { approvalOf, waitingFirst } from "./device-table.ts";
import { type Asked, type Ran, runCli, startTestRelay } from "./test-relay.ts";

const token = "the-admin-token-of-the-test";
const id = "01cc4bcb-54c4-4fc6-b74d-c081b426826f";
const [own, other] = ["490f-0c73-12ff-0509", "00aa-11bb-22cc-33dd"];

const device = (changes: object = {}) => ({
  id,
  status: "pending",
  waiting_for_approval: true,
  label: null,
  app_version: null,
  device_key_fingerprint: own,
  waiting_key_fingerprint: null,
  user_id: null,
  organization_id: null,
  models: null,
  requests_per_minute: null,
  created_at: "2026-11-21T03:07:09.123Z",
  approved_at: null,
  last_bootstrap_at: null,
  ...changes,
});

const error = (message: string) => ({ type: "error", error: { type: "x", message } });

/** One device, whatever becomes of it. */
const withDevice =
  (row: object, approval: Readonly<{ status: number; body: unknown }>) =>
  ({ method, path }: Asked) => {
    if (method === "POST") {
      return approval;
    }
    const isList = path.startsWith("/admin/devices?");
    return { status: 200, body: isList ? { data: [row], next_cursor: null } : row };
  };

const oneLine = ({ code, stdout, stderr }: Ran, expected: RegExp): void => {
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, expected);
  assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
};

describe("claude-relay devices approve", () => {
  it("approves the key it compared, and says so when another one waits by then", async (t) => {
    const late = { status: 409, body: error("Another key waits by now (x): compare it.") };
    const relay = await startTestRelay(t, withDevice(device(), late));
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token };
    const ran = await runCli(["devices", "approve", id, "--yes"], env);
    oneLine(ran, /Another key waits by now \(x\): compare it\./);
    const sent = relay.asked.find(({ method }) => method === "POST");
    assert.equal(sent?.path, `/admin/devices/${id}/approve`);
    assert.deepEqual(JSON.parse(sent?.body ?? ""), { device_key_fingerprint: own });
  });

  it("means the key that waits, not the one the device has", async (t) => {
    const row = device({ status: "active", waiting_key_fingerprint: other });
    const relay = await startTestRelay(t, withDevice(row, { status: 200, body: row }));
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token };
    const approve = ["devices", "approve", id, "--fingerprint"];
    oneLine(await runCli([...approve, own], env), /waits with the key 00aa-11bb-22cc-33dd, not/);
    assert.ok(!relay.asked.some(({ method }) => method === "POST"));
    assert.equal((await runCli([...approve, other], env)).code, 0);
    const sent = relay.asked.find(({ method }) => method === "POST");
    assert.deepEqual(JSON.parse(sent?.body ?? ""), { device_key_fingerprint: other });
  });

  it("of a device without a key takes no fingerprint for one", async (t) => {
    const row = device({ device_key_fingerprint: null });
    const relay = await startTestRelay(t, withDevice(row, { status: 200, body: row }));
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token };
    const approve = ["devices", "approve", id];
    oneLine(await runCli([...approve, "--fingerprint", own], env), /waits with no key/);
    oneLine(await runCli(approve, env), /brings no key.* devices approve --yes \S+$/m);
    assert.equal((await runCli([...approve, "--yes"], env)).code, 0);
  });
});

describe("a device that is active", () => {
  const active = device({ status: "active", label: "anns-laptop" });
  const asked = device({ ...active, waiting_key_fingerprint: other });
  const run = async (t: TestContext, row: object, ...args: readonly string[]): Promise<Ran> => {
    const relay = await startTestRelay(t, withDevice(row, { status: 200, body: row }));
    return runCli(["devices", ...args], { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token });
  };

  it("is not shown as one that waits while it is only not approved", async (t) => {
    const { stdout, stderr } = await run(t, active, "list", "--waiting");
    assert.match(stdout, new RegExp(`  active, not approved  ${own}`));
    assert.doesNotMatch(stderr, /waiting one/);
    assert.match(stderr, /To approve an active one: .* devices approve/);
    assert.match((await run(t, active, "show", id)).stderr, /active, but its key .* not approved/);
  });

  it("is listed with its own key while another asks, which show alone names", async (t) => {
    const { stdout, stderr } = await run(t, asked, "list");
    assert.match(stdout, new RegExp(`  active; another key asks  ${own}`));
    assert.ok(!(stdout + stderr).includes(other));
    assert.doesNotMatch(stderr, /devices approve/);
    const shown = await run(t, asked, "show", id);
    assert.match(shown.stdout, new RegExp(`^asks with another key +${other}$`, "m"));
    assert.match(shown.stderr, new RegExp(`Another key, ${other}, asks under its id`));
  });

  it("comes after those that wait, and after those under whose id another key asks", () => {
    const rows = [device({ status: "active", waiting_for_approval: false }), active, asked];
    const sorted = waitingFirst([...rows, device()] as Device[]);
    assert.deepEqual(sorted.map(approvalOf), ["newcomer", "other_key", "not_approved", null]);
  });

  it("is told apart by watch from a new device when a different key asks under its id", async (t) => {
    let looks = 0;
    const relay = await startTestRelay(t, () => {
      looks += 1;
      const data = [looks === 1 ? device({ ...active, waiting_for_approval: false }) : asked];
      // The third look ends it.
      return looks > 2
        ? { status: 404, body: error("enough") }
        : { status: 200, body: { data, next_cursor: null } };
    });
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token };
    const { stdout, stderr } = await runCli(["devices", "watch"], env);
    const warning = `Warning: a different key asks under the id of anns-laptop (${id}), fingerprint ${other}; its own is ${own}\n`;
    assert.equal(stdout, warning);
    assert.doesNotMatch(stderr, /devices approve/);
  });

  it("that was disabled is enabled with a word on codes", async (t) => {
    const row = device({ status: "active", waiting_for_approval: false });
    const { stderr } = await run(t, row, "enable", id);
    assert.match(stderr, /needs a new one: .* codes add$/m);
  });
});

describe("what a relay answers", () => {
  it("is shown without what could rewrite the terminal", async (t) => {
    const row = device({ label: "a\u001b[2Jb\u202ec", app_version: "1\n2", user_id: "x\u0007" });
    const relay = await startTestRelay(t, withDevice(row, { status: 200, body: row }));
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token };
    for (const args of [
      ["devices", "list"],
      ["devices", "show", id],
      ["devices", "disable", id],
    ]) {
      const { stdout, stderr, code } = await runCli(args, env);
      assert.equal(code, 0, stderr);
      assert.match(stdout + stderr, /a \[2Jb c/);
      assert.ok(!/[^\P{C}\n]/u.test(stdout + stderr));
    }
  });

  it("and is neither device nor code is not taken for one", async (t) => {
    const relay = await startTestRelay(t, () => ({ status: 200, body: { hello: "world" } }));
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token };
    oneLine(await runCli(["devices"], env), /without a list of devices/);
    oneLine(await runCli(["devices", "show", id], env), /without a device/);
    oneLine(await runCli(["devices", "revoke", id.slice(0, 5)], env), /without a list of devices/);
    oneLine(await runCli(["codes", "add"], env), /without a code/);
    const made = { enrollment_code: "A\u001b]0;owned\u0007", expires_at: "2026-11-21T03:07:09Z" };
    const liar = await startTestRelay(t, () => ({ status: 201, body: made }));
    oneLine(
      await runCli(["codes", "add"], { ...env, CLAUDE_RELAY_URL: liar.url }),
      /without a code/,
    );
  });
});

describe("a device's id", { skip: process.platform === "win32" }, () => {
  it("is one word in the commands that are there to be copied, whatever it holds", async (t) => {
    for (const odd of ["-x; touch owned #", "it's $(odd) `id`", "--yes-man", '"; exit 0; "']) {
      const row = device({ id: odd });
      const relay = await startTestRelay(t, withDevice(row, { status: 200, body: row }));
      const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token };
      const { stderr } = await runCli(["devices", "list"], env);
      const [, command = ""] = / devices (approve .*)$/m.exec(stderr) ?? [];
      const words = spawnSync("sh", ["-c", `printf '%s\\n' ${command}`], { encoding: "utf8" });
      const [verb, ...rest] = words.stdout.trimEnd().split("\n");
      assert.deepEqual([verb, rest.at(-1)], ["approve", odd]);
      const shown = await runCli(["devices", "show", ...rest], env);
      assert.equal(shown.code, 0, shown.stderr);
    }
  });

  it("or its name cannot look like the columns beside it", async (t) => {
    const fake = "anns-laptop  active  1111-2222-3333-4444";
    const row = device({ id: `abcd  vm  active  ${other}`, label: fake });
    const relay = await startTestRelay(t, withDevice(row, { status: 200, body: row }));
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: token };
    const { stdout } = await runCli(["devices", "list"], env);
    const [, name] =
      /^'abcd {2}vm {2}active {2}\S+' {2}(\S+ \S+ \S+) {2}waiting {2}/m.exec(stdout) ?? [];
    assert.equal(name, fake.replace(/ +/g, " "), stdout);
  });
});
