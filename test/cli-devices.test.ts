/** `claude-relay devices` against a real relay, with machines that connect to it. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, it, type TestContext } from "node:test";
import { newPerson, type Person, type Ran, type Running } from "./harness/command-line.ts";
import { type Relay, startRelay } from "./harness/relay.ts";
import { adminToken } from "./harness/secrets.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const posix = { skip: process.platform === "win32", timeout: 120_000 };
const store = ["--store", "file"];

/** The operator, who has the admin token. */
const operatorOf = (relay: Relay, t: TestContext) => {
  const person = newPerson(t, "operator");
  const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: adminToken };
  return (...args: readonly string[]): Promise<Ran> => person.run(args, { env });
};

const refused = ({ code, stdout, stderr }: Ran, expected: RegExp): void => {
  assert.match(stderr, expected);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.ok(!stderr.includes(adminToken));
};

const waiting = /: ([\w.-]+), id ([0-9a-f-]{36}), fingerprint ([0-9a-f]{4}(?:-[0-9a-f]{4}){3})\./;

type Waiting = Readonly<{ running: Running; name: string; id: string; fingerprint: string }>;

/** A machine that has asked, and shows what the operator is to compare. */
const startWaiting = async (relay: Relay, person: Person): Promise<Waiting> => {
  const running = person.start(["connect", relay.url, ...store]);
  let said = "";
  running.process.stderr?.on("data", (chunk: string) => {
    said += chunk;
  });
  await running.says(/Waiting for it/);
  const [, name = "", id = "", fingerprint = ""] = waiting.exec(said) ?? [];
  assert.ok(id, said);
  return { running, name, id, fingerprint };
};

describe("a device that must be approved", { ...posix, concurrency: 4 }, () => {
  let relay: Relay;
  before(async () => {
    relay = await startRelay({ env: { BOOTSTRAP: "approve" } });
  });
  after(() => relay.stop());

  it("shows name and fingerprint on both sides, and goes on by itself when its key is approved", async (t) => {
    const operator = operatorOf(relay, t);
    const person = newPerson(t);
    const { running, name, id, fingerprint } = await startWaiting(relay, person);
    const listed = await operator("devices");
    const line = listed.stdout.split("\n").find((one) => one.startsWith(id)) ?? "";
    assert.deepEqual(line.split(/ {2,}/).slice(0, 4), [id, name, "waiting", fingerprint]);
    assert.match(listed.stderr, /devices approve/);
    const shown = await operator("devices", "show", id.slice(0, 6));
    assert.match(shown.stdout, new RegExp(`^fingerprint +${fingerprint}$`, "m"));

    const approved = await operator("devices", "approve", id, "--fingerprint", fingerprint);
    assert.equal(approved.code, 0, approved.stderr);
    const { code, stderr } = await running.ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Checked with a real request/);
    refused(await operator("devices", "approve", id, "--yes"), /does not wait for an approval/);
  });

  it("is not let in with another fingerprint than its own, and takes it without dashes", async (t) => {
    const operator = operatorOf(relay, t);
    const { running, id, fingerprint } = await startWaiting(relay, newPerson(t));
    const other = await operator("devices", "approve", id, "--fingerprint", "00aa-11bb-22cc-33dd");
    refused(other, new RegExp(`waits with the key ${fingerprint}, not with 00aa-11bb-22cc-33dd`));
    refused(
      await operator("devices", "approve", id, "--fingerprint", "00aa"),
      /16 hexadecimal digits/,
    );
    const { body } = await relay.admin(`/admin/devices/${id}`);
    assert.equal(body.status, "pending");
    const spelled = fingerprint.replaceAll("-", "").toUpperCase();
    assert.equal((await operator("devices", "approve", id, "--fingerprint", spelled)).code, 0);
    assert.equal((await running.ended).code, 0);
  });

  it("is approved from a script only by fingerprint, or by its whole id and --yes", async (t) => {
    const operator = operatorOf(relay, t);
    const { running, id } = await startWaiting(relay, newPerson(t));
    refused(await operator("devices", "approve", id), /Compare the fingerprint.*--fingerprint/);
    refused(await operator("devices", "approve", id.slice(0, 7), "--yes"), /takes the whole id/);
    refused(await operator("devices", "enable", id), /waits for an approval.*devices approve/);
    assert.equal((await relay.admin(`/admin/devices/${id}`)).body.status, "pending");
    assert.equal((await operator("devices", "approve", id, "--yes")).code, 0);
    assert.equal((await running.ended).code, 0);
  });

  it("belongs to its owner from the first request on", async (t) => {
    await relay.admin("/admin/users", { method: "POST", body: JSON.stringify({ id: "ann" }) });
    const operator = operatorOf(relay, t);
    const { running, id, fingerprint } = await startWaiting(relay, newPerson(t));
    const approve = ["devices", "approve", id, "--fingerprint", fingerprint, "--user"];
    refused(
      await operator(...approve, "zoe"),
      /no user "zoe"\. Add them first: \S+claude-relay users add zoe$/m,
    );
    const ran = await operator(...approve, "ann", "--label", "Ann's laptop");
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal((await running.ended).code, 0);
    const { body } = await relay.admin(`/admin/devices/${id}`);
    assert.deepEqual([body.user_id, body.label, body.status], ["ann", "Ann's laptop", "active"]);
  });

  it("is seen by an operator who watches, once", async (t) => {
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: adminToken };
    const watching = newPerson(t, "operator").start(["devices", "watch"], { env });
    await watching.says(/Waiting for devices/);
    const one = await startWaiting(relay, newPerson(t));
    await watching.says(new RegExp(`${one.id}\\) waits, fingerprint ${one.fingerprint}`));
    const two = await startWaiting(relay, newPerson(t));
    await watching.says(new RegExp(`${two.id}\\) waits, fingerprint ${two.fingerprint}`));
    watching.process.kill("SIGTERM");
    const { stdout } = await watching.ended;
    assert.equal(stdout.split(one.id).length, 2, stdout);
  });

  it("is told when it is denied, and may ask again as another or once it is enabled", async (t) => {
    const operator = operatorOf(relay, t);
    const person = newPerson(t);
    const { running, id, fingerprint } = await startWaiting(relay, person);
    const denied = await operator("devices", "deny", id.slice(0, 5));
    assert.equal(denied.code, 0, denied.stderr);
    const { code, stderr } = await running.ended;
    assert.equal(code, 1);
    assert.match(
      stderr,
      new RegExp(`turned this device away \\(id ${id}, fingerprint ${fingerprint}\\)`),
    );
    assert.match(stderr, new RegExp(`devices enable ${id}`));
    assert.equal(existsSync(person.settings), false);
    refused(await operator("devices", "approve", id, "--yes"), /is revoked.*devices enable/);

    const enabled = await operator("devices", "enable", id);
    assert.match(enabled.stderr, /waits for an approval/);
    const again = await startWaiting(relay, person);
    assert.equal(again.id, id);
    assert.equal((await operator("devices", "deny", id)).code, 0);
    assert.equal((await again.running.ended).code, 1);

    const undone = await person.run(["connect", "--undo", relay.url]);
    assert.equal(undone.code, 0, undone.stderr);
    assert.match(undone.stderr, new RegExp(`devices revoke ${id}`));
    const anew = await startWaiting(relay, person);
    assert.notEqual(anew.id, id);
    assert.equal((await operator("devices", "approve", anew.id, "--yes")).code, 0);
    assert.equal((await anew.running.ended).code, 0);
  });

  it("cannot be denied into losing what it has: what waits is somebody with another key", async (t) => {
    const operator = operatorOf(relay, t);
    const person = newPerson(t);
    const { running, id } = await startWaiting(relay, person);
    assert.equal((await operator("devices", "approve", id, "--yes")).code, 0);
    await running.ended;
    const key = Buffer.alloc(32, 7).toString("base64url");
    const stranger = await fetch(`${relay.url}/bootstrap`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ device_id: id, device_public_key: key }),
    });
    assert.equal(stranger.status, 202);
    const shown = await operator("devices", "show", id);
    assert.match(shown.stdout, /^asks with another key +[0-9a-f-]{19}$/m);
    refused(await operator("devices", "deny", id), /has a key already/);
    assert.equal((await person.run(["token"])).code, 0);
  });
});

describe("a machine that waits", posix, () => {
  it("is the same when the wait is broken off and taken up again", async (t) => {
    const relay = await startRelay({ env: { BOOTSTRAP: "approve" } });
    t.after(() => relay.stop());
    const person = newPerson(t);
    const first = await startWaiting(relay, person);
    first.running.process.kill("SIGINT");
    await first.running.ended;
    const again = await startWaiting(relay, person);
    assert.deepEqual([again.id, again.fingerprint], [first.id, first.fingerprint]);
    const operator = operatorOf(relay, t);
    assert.equal((await operator("devices", "approve", again.id, "--yes")).code, 0);
    assert.equal((await again.running.ended).code, 0);
    const left = await person.run(["connect", "--undo"]);
    assert.match(left.stderr, new RegExp(`devices revoke ${again.id}`));
  });

  it("says that the relay is away, and goes on when it is back", async (t) => {
    const dataDir = tempFolder(t);
    const before = await startRelay({ dataDir, env: { BOOTSTRAP: "approve" } });
    const { running, id } = await startWaiting(before, newPerson(t));
    await before.stop();
    await running.says(/Still waiting/);
    const env = { BOOTSTRAP: "approve", PORT: String(before.port) };
    const relay = await startRelay({ dataDir, env });
    t.after(() => relay.stop());
    assert.equal((await operatorOf(relay, t)("devices", "approve", id, "--yes")).code, 0);
    const { code, stderr } = await running.ended;
    assert.equal(code, 0, stderr);
    assert.equal(stderr.match(/Still waiting/g)?.length, 1);
  });
});

describe("a device that is in", posix, () => {
  let relay: Relay;
  before(async () => {
    relay = await startRelay();
  });
  after(() => relay.stop());

  it("is disabled, enabled and revoked at once", async (t) => {
    const operator = operatorOf(relay, t);
    const token = await relay.bootstrap("laptop-of-ann-0001");
    const status = async (): Promise<number> =>
      (
        await fetch(`${relay.url}/v1/models`, {
          headers: { authorization: `Bearer ${token}`, "anthropic-version": "2023-06-01" },
        })
      ).status;
    assert.equal(await status(), 200);
    assert.match(
      (await operator("devices", "disable", "laptop-")).stderr,
      /Disabled laptop-of-ann/,
    );
    assert.equal(await status(), 403);
    assert.equal((await operator("devices", "enable", "laptop-")).code, 0);
    assert.equal(await status(), 200);
    for (const args of [["laptop-"], ["laptop-of-ann"], ["laptop-", "--yes"]]) {
      refused(
        await operator("devices", "revoke", ...args),
        /takes the whole id.* devices revoke laptop-of-ann-0001$/m,
      );
    }
    assert.equal((await operator("devices", "revoke", "laptop-of-ann-0001", "--yes")).code, 0);
    assert.notEqual(await status(), 200);
    refused(await operator("devices", "deny", "laptop-"), /does not wait.*devices revoke/);
    await operator("devices", "enable", "laptop-");
    assert.equal(await status(), 401, "what was revoked stays dead");
  });

  it("is named by a beginning that is no whole id, and only when one alone has it", async (t) => {
    const operator = operatorOf(relay, t);
    for (const id of ["fleet-00", "fleet-00-of-another", "fleet-01"]) {
      await relay.bootstrap(id);
    }
    refused(await operator("devices", "show", "fleet-"), /3 devices' ids begin with "fleet-"/);
    refused(await operator("devices", "show", "fle"), /No device's id begins with "fle"/);
    refused(await operator("devices", "show", "fleet-99"), /No device has the id "fleet-99"\. /);
    refused(
      await operator("devices", "show", "fleet-00-"),
      /begins so: fleet-00-of-another\. Name the whole id: devices name themselves/,
    );
    const named = await operator("devices", "show", "fleet-00", "--json");
    assert.equal(JSON.parse(named.stdout).id, "fleet-00", "a whole id means itself");
  });

  it("is not taken for one that calls itself the same but for a blank", async (t) => {
    const operator = operatorOf(relay, t);
    const [ann, eve] = ["laptop-of-ann-7777", "laptop-of-ann-7777 "];
    await relay.bootstrap(ann);
    await relay.bootstrap(eve);
    const shown = await operator("devices", "list");
    assert.match(shown.stdout, /^laptop-of-ann-7777 {2}/m);
    assert.match(shown.stdout, /^'laptop-of-ann-7777 ' {2}/m);
    const revoked = await operator("devices", "revoke", eve);
    assert.match(revoked.stderr, /Revoked 'laptop-of-ann-7777 ': /);
    assert.equal((await relay.admin(`/admin/devices/${ann}`)).body.status, "active");
  });

  it("cannot rewrite the terminal, not as JSON either", async (t) => {
    const operator = operatorOf(relay, t);
    const answer = await fetch(`${relay.url}/bootstrap`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ device_id: "rewriter", app_version: "\u009b2J\u202e1.0" }),
    });
    assert.equal(answer.status, 200);
    for (const args of [["show", "rewriter"], ["list"]]) {
      for (const json of [[], ["--json"]]) {
        const { stdout } = await operator("devices", ...args, ...json);
        assert.match(stdout, /rewriter/);
        assert.doesNotMatch(stdout, /[\u009b\u202e]/);
      }
    }
  });

  it("can be named, and is listed after those that wait, however it calls itself", async (t) => {
    const operator = operatorOf(relay, t);
    const id = "../a/b?c=d #e\"'%2f";
    await relay.bootstrap(id);
    const set = await operator("devices", "set", id, "--label", "odd\u001b[2Jone");
    assert.equal(set.code, 0, set.stderr);
    assert.match(set.stdout, /^name +odd \[2Jone$/m);
    refused(await operator("devices", "set", id), /What is to be set\?/);
    const { stdout } = await operator("devices", "list", "--json");
    assert.ok(JSON.parse(stdout).some((device: { id: string }) => device.id === id));
    const { stdout: none, stderr } = await operator("devices", "list", "--waiting");
    assert.deepEqual([none, stderr], ["", "No device waits for an approval.\n"]);
  });
});
