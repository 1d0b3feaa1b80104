/** `claude-relay` in a pseudo-terminal: what is typed, and what is asked. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { launcher, newPerson, type Person } from "./harness/command-line.ts";
import { type Relay, startRelay } from "./harness/relay.ts";
import { adminToken } from "./harness/secrets.ts";
import { openTerminal, type TerminalProgram, terminalMissing } from "./harness/terminal.ts";

const skip = process.platform === "win32" || terminalMissing;
const store = ["--store", "file"];

const openShell = (t: TestContext, person: Person, script: string, env = {}): TerminalProgram => {
  const file = join(person.home, "typed.sh");
  writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const terminal = openTerminal(file, { cwd: person.home, env: { ...person.env, ...env } });
  t.after(() => terminal.close());
  return terminal;
};

/**
 * Counts the Ctrl-Cs. At the first it has `claude-relay run` send another signal, which comes after whatever that
 * had to pass on before.
 */
const counter = `
  let count = 0;
  process.on("SIGINT", () => { count += 1; process.kill(process.ppid, "SIGUSR2"); });
  process.on("SIGUSR2", () => { console.log("counted " + count); process.exit(5); });
  setInterval(() => {}, 1000);
  console.log("it is running");`;

describe("claude-relay run in a terminal", { skip, timeout: 120_000 }, () => {
  let relay: Relay;
  before(async () => {
    relay = await startRelay();
  });
  after(() => relay.stop());

  for (const [where, input] of [
    ["the terminal", ""],
    ["a pipe", "cat /dev/zero | "],
    ["nowhere", "< /dev/null "],
  ] as const) {
    it(`hands one Ctrl-C on once, when its input comes from ${where}`, async (t) => {
      const person = newPerson(t);
      assert.equal((await person.run(["connect", relay.url, ...store])).code, 0);
      const program = join(person.home, "counter.cjs");
      writeFileSync(program, counter);
      const run = `'${launcher}' run -- '${process.execPath}' '${program}'`;
      const line = input.startsWith("<") ? `${run} ${input}` : `${input}${run}`;
      const terminal = openShell(t, person, `trap : INT; ${line}; echo "ended with $?"`);
      await terminal.until(/it is running/);
      terminal.type("\u0003");
      const [, count] = await terminal.until(/counted (\d)[\s\S]*ended with 5/);
      assert.equal(count, "1");
    });
  }
});

describe("claude-relay devices in a terminal, named by a beginning", {
  skip,
  timeout: 120_000,
}, () => {
  let relay: Relay;
  before(async () => {
    relay = await startRelay();
  });
  after(() => relay.stop());

  it("asks which device is meant, and before it revokes one", async (t) => {
    const id = "laptop-of-ann-0001";
    await relay.bootstrap(id);
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: adminToken };
    const shell = (args: string): TerminalProgram => {
      const script = `'${launcher}' devices ${args}; echo "ended with $?"`;
      return openShell(t, newPerson(t, "operator"), script, env);
    };
    const show = shell("show laptop-of-ann");
    await show.until(/Do you mean laptop-of-ann-0001\? \[y\/N\]/);
    show.type("y\r");
    await show.until(/status +active[\s\S]*ended with 0/);

    await relay.bootstrap("laptop-of");
    const squatter = shell("set laptop-of --label mine");
    await squatter.until(/laptop-of-ann-0001 begins so too\. Do you mean laptop-of\? \[y\/N\]/);
    squatter.type("n\r");
    await squatter.until(/whole id: laptop-of-ann-0001[\s\S]*ended with 1/);
    assert.equal((await relay.admin("/admin/devices/laptop-of")).body.label, null);

    for (const [answer, code, status] of [
      ["n", 1, "active"],
      ["y", 0, "revoked"],
    ] as const) {
      const revoke = shell("revoke laptop-of-");
      await revoke.until(/laptop-of-ann-0001[\s\S]*Is this the device to revoke\?/);
      revoke.type(`${answer}\r`);
      await revoke.until(new RegExp(`ended with ${code}`));
      assert.equal((await relay.admin(`/admin/devices/${id}`)).body.status, status);
    }
  });
});

describe("claude-relay devices approve in a terminal", { skip, timeout: 120_000 }, () => {
  let relay: Relay;
  before(async () => {
    relay = await startRelay({ env: { BOOTSTRAP: "approve" } });
  });
  after(() => relay.stop());

  it("shows the fingerprint, asks, and takes nothing but a yes for one", async (t) => {
    const machine = newPerson(t, "machine");
    const running = machine.start(["connect", relay.url, ...store]);
    await running.says(/Waiting for it/);
    const { body } = await relay.admin("/admin/devices");
    const [{ id, device_key_fingerprint: fingerprint }] = body.data;
    const env = { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: adminToken };
    const script = `'${launcher}' devices approve ${id.slice(0, 6)}; echo "ended with $?"`;
    const question = new RegExp(`show the fingerprint ${fingerprint}, all of it\\? \\[y/N\\]`);

    for (const answer of ["n\r", "\r", "yess\r", "\u0003", "\u0004"]) {
      const unsure = openShell(t, newPerson(t, "operator"), script, env);
      await unsure.until(question);
      unsure.type(answer);
      await unsure.until(/Nothing was changed[\s\S]*ended with 1/);
      assert.equal((await relay.admin(`/admin/devices/${id}`)).body.status, "pending");
    }
    const sure = openShell(t, newPerson(t, "operator"), script, env);
    await sure.until(question);
    sure.type("y\r");
    await sure.until(/Approved [\s\S]*ended with 0/);
    const { code, stderr } = await running.ended;
    assert.equal(code, 0, stderr);

    const key = Buffer.alloc(32, 7).toString("base64url");
    const stranger = await fetch(`${relay.url}/bootstrap`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ device_id: id, device_public_key: key }),
    });
    assert.equal(stranger.status, 202);
    const no = openShell(t, newPerson(t, "operator"), script, env);
    await no.until(/\[y\/N\]/);
    no.type("n\r");
    const [said] = await no.until(/Nothing was changed[\s\S]*ended with 1/);
    assert.match(said, /devices revoke/);
    assert.doesNotMatch(said, /devices deny/);
  });
});
