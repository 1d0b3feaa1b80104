/** What can be wrong when a machine is connected: each time one line, the way out, exit 1, and nothing half done. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { newPerson, type Person, type Ran } from "./harness/command-line.ts";
import { type Relay, startRelay } from "./harness/relay.ts";

const main = new URL("../packages/cli/src/main.ts", import.meta.url).pathname;
const posix = { skip: process.platform === "win32", timeout: 120_000 };
const store = ["--store", "file"];

const oneLine = ({ code, stdout, stderr }: Ran, expected: RegExp): void => {
  assert.match(stderr, expected);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.ok(!/\n {4}at /.test(stderr), stderr);
};

const untouched = (person: Person): void => {
  assert.equal(existsSync(person.settings), false);
  assert.equal(existsSync(join(person.folder, "relays.json")), false);
};

const stranger = async (t: TestContext, answer: RequestListener): Promise<string> => {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

describe("a wrong address", posix, () => {
  it("is said to be one before anything is sent or written", async (t) => {
    const person = newPerson(t);
    const connect = (url: string) => person.run(["connect", url, ...store]);
    oneLine(await connect("relay.example.com"), /Did you mean https:\/\/relay\.example\.com\?/);
    oneLine(await connect("localhost:3001"), /Did you mean http:\/\/localhost:3001\?/);
    oneLine(await connect("ftp://relay"), /must be an address such as https:\S+\.$/m);
    oneLine(await connect("http://relay.example.com"), /is not https: anyone on the way/);
    oneLine(await connect("https://me:secret@relay.example.com"), /must hold no user name/);
    oneLine(await connect("http://127.0.0.1:1"), /No relay answers at/);
    oneLine(await connect("http://no-such-host.internal"), /cannot be reached/);
    oneLine(await person.run(["connect"]), /Which relay\? .*claude-relay connect <url>/);
    untouched(person);
  });

  it("where something else answers is told apart from a relay", async (t) => {
    const person = newPerson(t);
    const page = await stranger(t, (_, response) => response.end("<html>"));
    oneLine(
      await person.run(["connect", page, ...store]),
      /is not claude-relay: check the address/,
    );
    oneLine(
      await person.run(["connect", `${page}/v1`, ...store]),
      /Is it at http:\/\/127\.0\.0\.1:\d+\?/,
    );
    const nearly = await stranger(t, (_, response) => response.end('{"status":"ok"}'));
    oneLine(await person.run(["connect", nearly, ...store]), /is not claude-relay/);
    const elsewhere = await stranger(t, (_, response) =>
      response.writeHead(301, { location: "https://other.example/healthz" }).end(),
    );
    oneLine(
      await person.run(["connect", elsewhere, ...store]),
      /sends callers on to https:\/\/other\.example\/healthz\. That is not followed/,
    );
    const tls = page.replace("http:", "https:");
    oneLine(await person.run(["connect", tls, ...store]), /does not speak TLS/);
    untouched(person);
  });
});

describe("an enrollment code", posix, () => {
  let relay: Relay;
  before(async () => {
    relay = await startRelay({ env: { BOOTSTRAP: "code" } });
  });
  after(() => relay.stop());

  const newCode = async (settings: object = {}): Promise<string> =>
    (
      await relay.admin("/admin/enrollment-codes", {
        method: "POST",
        body: JSON.stringify({ max_uses: 1, ...settings }),
      })
    ).body.enrollment_code;

  it("lets a machine in once, as an option or in a link", async (t) => {
    const person = newPerson(t);
    const code = await newCode();
    const first = await person.run(["connect", relay.url, "--code", code, ...store]);
    assert.equal(first.code, 0, first.stderr);
    assert.ok(!(first.stdout + first.stderr).includes(code));
    const other = newPerson(t);
    const used = await other.run(["connect", relay.url, "--code", code, ...store]);
    oneLine(used, /With a code from its operator: .*claude-relay connect .* --code <code>/);
    untouched(other);
    const link = `${relay.url}/#code=${await newCode()}`;
    assert.equal((await other.run(["connect", link, ...store])).code, 0);
    const again = await other.run(["connect", relay.url, ...store]);
    assert.equal(again.code, 0, "it needs no code any more");
  });

  it("that is missing or wrong is asked for", async (t) => {
    const person = newPerson(t);
    const missing = await person.run(["connect", relay.url, ...store]);
    oneLine(missing, /nrollment.code.*--code <code>/);
    const wrong = await person.run(["connect", relay.url, "--code", "nonsense", ...store]);
    oneLine(wrong, /nrollment.code.*--code <code>/);
    untouched(person);
  });

  it("is not needed by someone whose device was turned away, but words are", async (t) => {
    const person = newPerson(t);
    const code = await newCode();
    assert.equal((await person.run(["connect", relay.url, "--code", code, ...store])).code, 0);
    const { body } = await relay.admin("/admin/devices?status=active&limit=1000");
    for (const { id } of body.data) {
      await relay.admin(`/admin/devices/${id}`, {
        method: "PATCH",
        body: JSON.stringify({ status: "revoked" }),
      });
    }
    const again = await person.run(["connect", relay.url, ...store]);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /Connected, but: .*revoked/);
  });
});

describe("a home that cannot be written", posix, () => {
  it("is found out before a code is used up or a device made", async (t) => {
    const relay = await startRelay({ env: { BOOTSTRAP: "code" } });
    t.after(() => relay.stop());
    const { body } = await relay.admin("/admin/enrollment-codes", {
      method: "POST",
      body: JSON.stringify({ max_uses: 1 }),
    });
    const person = newPerson(t);
    // Root may write anywhere, but not beneath a file.
    writeFileSync(dirname(person.folder), "");
    const args = ["connect", relay.url, "--code", body.enrollment_code, ...store];
    oneLine(await person.run(args), /cannot be written \(ENOTDIR|EEXIST\): make its folder/);
    const nowhere = await person.run(args, { env: { HOME: "/dev/null" } });
    oneLine(nowhere, /cannot be written/);
    assert.deepEqual((await relay.admin("/admin/devices")).body.data, []);
    rmSync(dirname(person.folder));
    const ran = await person.run(args);
    assert.equal(ran.code, 0, ran.stderr);
  });

  const isRoot = process.getuid?.() === 0;
  it("is asked for where the user has none at all", { skip: !isRoot }, () => {
    // As in a container, where the user is a number that nobody gave a name.
    const ran = (env: Record<string, string>) =>
      spawnSync(process.execPath, [main, "token"], { uid: 54_321, cwd: "/", env });
    assert.match(String(ran({}).stderr), /^claude-relay: This user has no home folder: set HOME/);
    const xdg = ran({ XDG_CONFIG_HOME: "/nowhere" });
    assert.match(String(xdg.stderr), /is not connected to a relay/);
  });
});

describe("a device that must be approved", posix, () => {
  it("shows its fingerprint, waits, and goes on when an admin has approved it", async (t) => {
    const relay = await startRelay({ env: { BOOTSTRAP: "approve" } });
    t.after(() => relay.stop());
    const person = newPerson(t);
    const running = person.start(["connect", relay.url, ...store]);
    await running.says(/must approve this device/);
    const { body } = await relay.admin("/admin/devices?status=pending");
    const [{ id, device_key_fingerprint: fingerprint }] = body.data;
    await running.says(new RegExp(`id ${id}, fingerprint ${fingerprint}\\.`));
    assert.match(fingerprint, /^[0-9a-f]{4}(-[0-9a-f]{4}){3}$/);
    await relay.admin(`/admin/devices/${id}/approve`, { method: "POST" });
    const { code, stderr } = await running.ended;
    assert.equal(code, 0, stderr);
    assert.ok(existsSync(person.settings));
  });
});

describe("a damaged file", posix, () => {
  let relay: Relay;
  before(async () => {
    relay = await startRelay();
  });
  after(() => relay.stop());

  it("of Claude Code's is left as it is, before a code is used up or a device made", async (t) => {
    const person = newPerson(t);
    mkdirSync(dirname(person.settings), { recursive: true });
    for (const text of ['{"apiKey": "s3cret",}', "// comment\n{}", "[]"]) {
      writeFileSync(person.settings, text);
      const ran = await person.run(["connect", relay.url, ...store]);
      oneLine(ran, /settings\.json is not a valid JSON object, so it is left as it is/);
      assert.ok(!ran.stderr.includes("s3cret"));
      assert.equal(readFileSync(person.settings, "utf8"), text);
    }
    writeFileSync(person.settings, '{"env": "FOO=1"}');
    oneLine(await person.run(["connect", relay.url, ...store]), /`env` is not an object: mend it/);
    assert.equal(readFileSync(person.settings, "utf8"), '{"env": "FOO=1"}');
  });

  it("of its own is named, with the way out", async (t) => {
    const person = newPerson(t);
    assert.equal((await person.run(["connect", relay.url, ...store])).code, 0);
    const signIn = readdirSync(person.folder).find((name) => /^sign-in-.*\.json$/.test(name));
    for (const name of ["relays.json", signIn!]) {
      const path = join(person.folder, name);
      const good = readFileSync(path, "utf8");
      for (const text of ["", "{", "[1]", '{"relays":7}', '{"relays":{"x":{}}}', `{"":7}`]) {
        writeFileSync(path, text);
        const ran = await person.run(["token"]);
        if (ran.code !== 0) {
          oneLine(ran, /is damaged\. Delete it, then connect again|not connected to a relay/);
        }
      }
      writeFileSync(path, "garbage");
      oneLine(await person.run(["token"]), /is damaged\. Delete it, then connect again/);
      writeFileSync(path, good);
    }
    const undo = join(person.folder, "claude-code.json");
    writeFileSync(undo, JSON.stringify({ [person.settings]: { url: 1 } }));
    oneLine(await person.run(["connect", "--undo"]), /claude-code\.json is damaged/);
  });

  it("that others could read is not trusted any more", async (t) => {
    const person = newPerson(t);
    assert.equal((await person.run(["connect", relay.url, ...store])).code, 0);
    const signIn = readdirSync(person.folder).find((name) => /^sign-in-.*\.json$/.test(name));
    chmodSync(join(person.folder, signIn!), 0o644);
    oneLine(await person.run(["token"]), /can be read by others/);
  });

  it("with a damaged token in it leads to a new token of the same device", async (t) => {
    const person = newPerson(t);
    assert.equal((await person.run(["connect", relay.url, ...store])).code, 0);
    const signIn = readdirSync(person.folder).find((name) => /^sign-in-.*\.json$/.test(name));
    const path = join(person.folder, signIn!);
    const kept = JSON.parse(readFileSync(path, "utf8"));
    const before = (await relay.admin("/admin/devices?limit=1000")).body.data.length;
    writeFileSync(path, JSON.stringify({ ...kept, [`token ${relay.url}`]: "garbage" }));
    assert.match((await person.run(["token"])).stdout, /^eyJ/);
    const after = (await relay.admin("/admin/devices?limit=1000")).body.data.length;
    assert.equal(after, before);
  });
});
