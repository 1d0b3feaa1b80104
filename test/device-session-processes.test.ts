/** Several processes of one user, and the system's keychain: nothing here is simulated. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it, type TestContext } from "node:test";
import { relayName } from "../packages/client/src/device/device-id-file.ts";
import {
  KeychainUnavailableError,
  openDeviceSession,
} from "../packages/client/src/device/index.ts";
import { type Relay, startRelay } from "./harness/relay.ts";
import { tempFolder } from "./harness/temp-folder.ts";

let relay: Relay;

before(async () => {
  relay = await startRelay();
});
after(() => relay.stop());

/** Starts processes that all ask for a token at the same moment; gives what each printed. */
const race = async (t: TestContext, folder: string, count: number): Promise<string[]> => {
  const children = Array.from({ length: count }, () => startProcess(t, folder));
  await Promise.all(children.map(({ line }) => line()));
  for (const { child } of children) {
    child.stdin?.write("go\n");
  }
  return Promise.all(children.map(({ line }) => line()));
};

const startProcess = (t: TestContext, folder: string, ...more: string[]) => {
  const child: ChildProcess = spawn(
    process.execPath,
    ["test/harness/device-token-process.ts", relay.url, folder, ...more],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  t.after(() => child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout ?? process.stdin })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => String((await lines.next()).value);
  return { child, line };
};

const audited = async (action: string): Promise<{ outcome: string; subject: string }[]> =>
  (await relay.admin(`/admin/audit?action=${action}`)).body.data;

const works = async (token: string): Promise<void> => {
  const headers = { authorization: `Bearer ${token}` };
  const { status } = await fetch(`${relay.url}/admin/usage`, { headers });
  assert.equal(status, 200);
};

/** The stored token, as if it had been issued so long ago. */
const age = (folder: string, hours: number): void => {
  const path = join(folder, "store.json");
  const entries = JSON.parse(readFileSync(path, "utf8"));
  const name = Object.keys(entries).find((one) => one.startsWith("token")) ?? "";
  const token = JSON.parse(entries[name]);
  token.issued_at -= hours * 3_600_000;
  token.expires_at -= hours * 3_600_000;
  writeFileSync(path, JSON.stringify({ ...entries, [name]: JSON.stringify(token) }));
};

describe("six processes of one user", () => {
  it("at first launch become one device, and renew their token once between them", async (t) => {
    const folder = tempFolder(t);
    const first = await race(t, folder, 6);
    assert.equal(new Set(first).size, 1);
    const enrolled = await audited("device.bootstrap");
    assert.equal(enrolled.length, 1);
    age(folder, 23.5);
    const second = await race(t, folder, 6);
    assert.equal(new Set(second).size, 1);
    assert.notEqual(second[0], first[0]);
    await works(second[0] ?? "");
    assert.deepEqual(
      (await audited("device.refresh")).map(({ outcome }) => outcome),
      ["ok"],
    );
    assert.equal((await audited("device.bootstrap")).length, 1);
    assert.deepEqual(readdirSync(folder), ["store.json"], "the lock is gone");
  });

  it("are not held up by the lock of one that died", async (t) => {
    const folder = tempFolder(t);
    await race(t, folder, 1);
    const dead = spawn(process.execPath, ["--version"], { stdio: "ignore" });
    await once(dead, "exit");
    const left = JSON.stringify({ pid: dead.pid, host: hostname(), id: "x" });
    writeFileSync(join(folder, `refresh-${relayName(relay.url)}.lock`), left);
    age(folder, 23.5);
    const tokens = await race(t, folder, 3);
    assert.equal(new Set(tokens).size, 1);
    await works(tokens[0] ?? "");
  });
});

describe("a process that is killed", () => {
  it("between the relay's answer and the keychain leaves the device in, and its lock to the next", async (t) => {
    const folder = tempFolder(t);
    const [first] = await race(t, folder, 1);
    const [{ subject } = { subject: "" }] = await audited("device.bootstrap");
    age(folder, 23.5);
    const { child, line } = startProcess(t, folder, "hang");
    assert.equal(await line(), "ready");
    child.stdin?.write("go\n");
    assert.equal(await line(), "given");
    const lock = `refresh-${relayName(relay.url)}.lock`;
    assert.ok(readdirSync(folder).includes(lock));
    // Two more wait for the lock meanwhile; then its holder dies.
    const waiting = race(t, folder, 2);
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
    const tokens = await waiting;
    assert.equal(new Set(tokens).size, 1);
    assert.notEqual(tokens[0], first);
    await works(tokens[0] ?? "");
    assert.ok(!readdirSync(folder).includes(lock));
    const of = async (action: string): Promise<string[]> =>
      (await audited(action)).filter((row) => row.subject === subject).map((row) => row.outcome);
    assert.deepEqual(await of("device.refresh"), ["ok", "ok"]);
    assert.deepEqual(await of("device.bootstrap"), ["ok"]);
    assert.deepEqual(await of("device.replay"), []);
  });
});

describe("a machine without a keychain", () => {
  const withoutBus = (t: TestContext): void => {
    const kept = process.env["DBUS_SESSION_BUS_ADDRESS"];
    process.env["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nonexistent";
    t.after(() => {
      if (kept === undefined) {
        delete process.env["DBUS_SESSION_BUS_ADDRESS"];
      } else {
        process.env["DBUS_SESSION_BUS_ADDRESS"] = kept;
      }
    });
  };

  it("keeps the sign-in in memory and says so; only the id is written down, readable by its user alone", {
    skip: process.platform !== "linux" && "other systems always have one",
  }, async (t) => {
    withoutBus(t);
    const configFolder = join(tempFolder(t), "nested", "claude-relay");
    const open = () => openDeviceSession({ relayUrl: relay.url, configFolder, environment: {} });
    const first = await open();
    assert.equal(first.storeKind, "memory");
    assert.equal(
      first.notice,
      "No system keychain found. Your sign-in is kept in memory and renewed at each start.",
    );
    const token = await first.session.token();
    await works(token);
    const { deviceId, fingerprint } = await first.session.identity();
    const [file, ...more] = readdirSync(configFolder);
    assert.deepEqual(more, []);
    assert.equal(readFileSync(join(configFolder, file ?? ""), "utf8"), `${deviceId}\n`);
    assert.equal(statSync(join(configFolder, file ?? "")).mode & 0o777, 0o600);
    assert.equal(statSync(configFolder).mode & 0o777, 0o700);
    const second = await open();
    const again = await second.session.token();
    await works(again);
    assert.notEqual(again, token);
    const identity = await second.session.identity();
    assert.equal(identity.deviceId, deviceId);
    assert.notEqual(identity.fingerprint, fingerprint);
    writeFileSync(join(configFolder, file ?? ""), "\u0000garbage\n");
    const third = await open();
    await works(await third.session.token());
    assert.notEqual((await third.session.identity()).deviceId, deviceId);
    await third.session.signOut();
    assert.deepEqual(readdirSync(configFolder), []);
  });

  it("names what is missing", { skip: process.platform !== "linux" }, async (t) => {
    withoutBus(t);
    const { openKeychainStore } = await import("../packages/client/src/device/index.ts");
    await assert.rejects(openKeychainStore(), (error: unknown) => {
      assert.ok(error instanceof KeychainUnavailableError);
      assert.match(error.message, /system keychain cannot be used/);
      return true;
    });
  });
});

const isThere = (program: string): boolean => {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

const missing =
  process.platform === "linux" && isThere("dbus-run-session") && isThere("gnome-keyring-daemon")
    ? false
    : "needs Linux with: apt-get install dbus gnome-keyring";

describe("the system's keychain", { skip: missing }, () => {
  /** Runs a script under a session bus of its own, with `setup` before. */
  const underBus = (t: TestContext, setup: string, script: string): string => {
    const home = tempFolder(t);
    const file = join(home, "script.ts");
    const entry = join(process.cwd(), "packages/client/src/device/index.ts");
    writeFileSync(
      file,
      `import { openDeviceSession, openKeychainStore } from ${JSON.stringify(entry)};\n${script}`,
    );
    const command = `${setup} "$0" "$1"`;
    return execFileSync("dbus-run-session", ["--", "sh", "-c", command, process.execPath, file], {
      encoding: "utf8",
      env: {
        PATH: process.env["PATH"],
        HOME: home,
        XDG_DATA_HOME: home,
        XDG_RUNTIME_DIR: home,
        RELAY: relay.url,
      },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 30_000,
    });
  };
  const unlocked =
    'eval "$(printf pw | gnome-keyring-daemon --unlock --components=secrets)"; sleep 0.5;';

  it("keeps identity and token from one start to the next", (t) => {
    const out = underBus(
      t,
      unlocked,
      `
      const open = () => openDeviceSession({ relayUrl: process.env.RELAY });
      const first = await open();
      const second = await open();
      const a = await first.session.token();
      const b = await second.session.token();
      const same = (await first.session.identity()).fingerprint === (await second.session.identity()).fingerprint;
      await second.session.signOut();
      const third = await open();
      const c = await third.session.token();
      console.log(JSON.stringify([first.storeKind, first.notice, a === b, same, a === c]));
      `,
    );
    assert.deepEqual(JSON.parse(out), ["keychain", null, true, true, false]);
  });

  it("takes a value as long as any token, and forgets what is deleted", (t) => {
    const out = underBus(
      t,
      unlocked,
      `
      const store = await openKeychainStore();
      const long = "x".repeat(2500);
      await store.set("a name", long);
      const read = await store.get("a name");
      await store.delete("a name");
      await store.delete("a name");
      console.log(JSON.stringify([read === long, await store.get("a name"), store.kind]));
      `,
    );
    assert.deepEqual(JSON.parse(out), [true, null, "keychain"]);
  });

  it("that nobody unlocked is taken for none", (t) => {
    const out = underBus(
      t,
      "",
      `
      const { storeKind, notice } = await openDeviceSession({ relayUrl: process.env.RELAY });
      console.log(JSON.stringify([storeKind, typeof notice]));
      `,
    );
    assert.deepEqual(JSON.parse(out), ["memory", "string"]);
  });
});
