/** run.sh and install.sh, in a folder that looks like a fresh checkout. systemd is played by a script that keeps what it was told. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { readLogLines } from "./harness/log-lines.ts";
import { freePort } from "./harness/loopback.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const root = new URL("..", import.meta.url).pathname;
const posix = { skip: process.platform === "win32", timeout: 180_000 };

type Place = Readonly<{ checkout: string; home: string; env: Record<string, string> }>;

/** A checkout without config or data, whose packages are this one's; a home; and first on PATH a folder for stand-ins. */
const freshPlace = (t: TestContext, options: { dependencies?: boolean } = {}): Place => {
  const folder = tempFolder(t);
  const [checkout, home, path] = ["claude-relay", "home", "path"].map((name) => join(folder, name));
  for (const made of [checkout, home, path]) {
    mkdirSync(made!);
  }
  const copied = ["run.sh", "install.sh", "bin", "systemd", "scripts", "config.env.example"];
  for (const name of copied) {
    cpSync(join(root, name), join(checkout!, name), { recursive: true });
  }
  const linked = [
    "packages",
    "package.json",
    ...(options.dependencies === false ? [] : ["node_modules"]),
  ];
  for (const name of linked) {
    symlinkSync(join(root, name), join(checkout!, name));
  }
  return {
    checkout: checkout!,
    home: home!,
    env: { PATH: `${path}:${process.env["PATH"]}`, HOME: home!, STAND_INS: path! },
  };
};

const standIn = ({ env }: Place, name: string, script: string): void => {
  const file = join(env["STAND_INS"] ?? "", name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
};

const mode = (path: string): number => statSync(path).mode & 0o777;

const running = (t: TestContext, place: Place, env: Record<string, string>) => {
  const child = spawn(join(place.checkout, "run.sh"), {
    cwd: "/",
    env: { ...place.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  return { child, ...readLogLines(child.stdout) };
};

const exitOf = async (child: ChildProcess): Promise<unknown[]> => once(child, "exit");

describe("run.sh", posix, () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`starts the relay with a config.env of its own, and passes ${signal} on`, async (t) => {
      const place = freshPlace(t);
      const { child, logged } = running(t, place, { PORT: "0" });
      const up = await logged(({ msg }) => msg === "claude-relay is up");
      assert.match(String(up["url"]), /^http:\/\/127\.0\.0\.1:\d+$/);
      assert.equal((await fetch(`${up["url"]}/health`)).status, 200);
      assert.equal(mode(join(place.checkout, "config.env")), 0o600);
      assert.ok(existsSync(join(place.checkout, "data/relay.db")));
      const exited = exitOf(child);
      child.kill(signal);
      await logged(({ msg }) => msg === "claude-relay is down");
      assert.deepEqual(await exited, [0, null]);
    });
  }

  it("listens where config.env says, and bin/* find it there", async (t) => {
    const place = freshPlace(t);
    const port = await freePort();
    writeFileSync(join(place.checkout, "config.env"), `PORT=${port}\n`);
    const { logged } = running(t, place, {});
    const up = await logged(({ msg }) => msg === "claude-relay is up");
    assert.equal(up["url"], `http://127.0.0.1:${port}`);
    const health = join(place.checkout, "bin/claude-relay");
    const said = execFileSync(health, ["health"], { cwd: "/", env: place.env });
    assert.match(said.toString(), new RegExp(`^healthy: http://127\\.0\\.0\\.1:${port},`));
    // Its admin token is in this folder's data: enough to ask for what only an admin may see.
    execFileSync(health, ["usage"], { cwd: "/", env: place.env });
  });

  it("installs dependencies when there are none", (t) => {
    const place = freshPlace(t, { dependencies: false });
    standIn(place, "npm", 'echo "npm $*" >&2; exit 1');
    const { status, stderr } = spawnSync(join(place.checkout, "run.sh"), {
      env: place.env,
      encoding: "utf8",
    });
    assert.equal(status, 1);
    assert.match(stderr, /^npm ci/m);
    const genkey = spawnSync(join(place.checkout, "bin/genkey"), ["app"], {
      env: place.env,
      encoding: "utf8",
    });
    assert.match(genkey.stderr, /run npm ci in .*first/);
    assert.deepEqual([genkey.status, genkey.stdout], [1, ""]);
  });

  it("installs them again when package-lock.json is newer, as after a git pull", (t) => {
    const place = freshPlace(t);
    writeFileSync(join(place.checkout, "package-lock.json"), "{}");
    standIn(place, "npm", 'echo "npm $*" >&2; exit 1');
    const options = { env: place.env, encoding: "utf8" } as const;
    const { status, stderr } = spawnSync(join(place.checkout, "run.sh"), options);
    assert.equal(status, 1);
    assert.match(stderr, /^npm ci/m);
    // What only asks a running relay does not wait for that.
    const { stdout } = spawnSync(join(place.checkout, "bin/claude-relay"), ["--help"], options);
    assert.match(stdout, /^Usage: claude-relay/);
  });

  it("uses 8799, unless .env has a port already", (t) => {
    const url = (place: Place): string => {
      // Only as far as config.env: the server itself is not wanted here.
      const script = `root=$PWD; . scripts/checkout.sh; make_config; exec bin/claude-relay setting url`;
      return execFileSync("sh", ["-c", script], { cwd: place.checkout, env: place.env }).toString();
    };
    const fresh = freshPlace(t);
    assert.equal(url(fresh), "http://127.0.0.1:8799\n");
    const before = freshPlace(t);
    writeFileSync(join(before.checkout, ".env"), "PORT=4001\n");
    assert.equal(url(before), "http://127.0.0.1:4001\n");
  });
});

/** systemctl keeps what it was told, and is one whose user has a session. */
const playSystemd = (place: Place, namespaces = true): (() => string[]) => {
  const log = join(place.home, "calls.log");
  writeFileSync(log, "");
  const keep = `echo "\${0##*/} $*" >>"${log}"`;
  standIn(
    place,
    "systemctl",
    `case "$*" in *show-environment*) exit 0 ;; *is-active*) exit 1 ;; esac\n${keep}`,
  );
  standIn(place, "systemd-run", `exit ${namespaces ? 0 : 1}`);
  standIn(place, "loginctl", "echo no");
  standIn(place, "id", 'case "$*" in -u) echo 1000 ;; *) echo tester ;; esac');
  return () => readFileSync(log, "utf8").trim().split("\n");
};

/** Without blocking: the relay it waits for may be this process. */
const install = async (place: Place, ...args: string[]) => {
  const child = spawn(join(place.checkout, "install.sh"), args, { cwd: "/", env: place.env });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk) => {
      said += chunk;
    });
  }
  const [status] = await once(child, "close");
  return { status, said };
};

/** What systemd would have started, where config.env says. */
const startAsService = async (t: TestContext, place: Place): Promise<void> => {
  writeFileSync(join(place.checkout, "config.env"), `PORT=${await freePort()}\nPER_KEY_RPM=7\n`);
  const { logged } = running(t, place, {});
  await logged(({ msg }) => msg === "claude-relay is up");
};

describe("install.sh", posix, () => {
  it("puts the service in place, starts it, waits for it and says what comes next", async (t) => {
    const place = freshPlace(t);
    const calls = playSystemd(place);
    await startAsService(t, place);
    const { status, said } = await install(place);
    assert.equal(status, 0, said);
    assert.deepEqual(calls(), [
      "systemctl --user daemon-reload",
      "systemctl --user enable --now claude-relay",
    ]);
    assert.match(said, /\.\/bin\/genkey my-app/);
    assert.match(said, /loginctl enable-linger/);
    const unit = readFileSync(
      join(place.home, ".config/systemd/user/claude-relay.service"),
      "utf8",
    );
    assert.ok(!unit.includes("%h/claude-relay"), unit);
    assert.ok(unit.includes(`\nWorkingDirectory=${place.checkout}\n`));
    assert.ok(unit.includes(`\nReadWritePaths=${place.checkout}/data\n`));
    assert.match(
      unit,
      /^ExecStart=\/\S+\/node_modules\/\.bin\/node .*\/packages\/server\/src\/main\.ts$/m,
    );
    assert.equal(mode(join(place.checkout, "data")), 0o700);
  });

  it("may be repeated: what was set stays, nothing is added twice", async (t) => {
    const place = freshPlace(t);
    playSystemd(place);
    await startAsService(t, place);
    assert.equal((await install(place)).status, 0);
    const units = join(place.home, ".config/systemd/user");
    const state = () =>
      [join(place.checkout, "config.env"), join(units, "claude-relay.service")].map((path) =>
        readFileSync(path, "utf8"),
      );
    const before = state();
    assert.match(before[0]!, /PER_KEY_RPM=7/);
    const again = await install(place);
    assert.equal(again.status, 0, again.said);
    assert.deepEqual(state(), before);
  });

  it("makes the admin token itself, so that the journal does not get to see one", async (t) => {
    const place = freshPlace(t);
    playSystemd(place);
    // Nobody answers there: what is looked at is what was written by then.
    standIn(place, "systemctl", 'case "$*" in *show-environment*) ;; *) exit 1 ;; esac');
    const first = await install(place);
    assert.equal(first.status, 1);
    const config = readFileSync(join(place.checkout, "config.env"), "utf8");
    const tokens = [...config.matchAll(/^ADMIN_TOKEN=(relay-admin-[\w-]{43})$/gm)];
    assert.equal(tokens.length, 1, "one token");
    assert.equal(mode(join(place.checkout, "config.env")), 0o600);
    const second = await install(place);
    assert.equal(readFileSync(join(place.checkout, "config.env"), "utf8"), config);
    assert.ok(!`${first.said}${second.said}`.includes(tokens[0]![1]!));
  });

  it("unlocks the file system, and says so, where users may make no namespaces", async (t) => {
    const place = freshPlace(t);
    playSystemd(place, false);
    await startAsService(t, place);
    const { said } = await install(place);
    assert.match(said, /without the file system locks/);
    const units = join(place.home, ".config/systemd/user");
    const dropin = join(units, "claude-relay.service.d/no-namespaces.conf");
    assert.match(readFileSync(dropin, "utf8"), /^PrivateUsers=no$/m);
    playSystemd(place);
    assert.equal((await install(place)).status, 0);
    assert.ok(!existsSync(dropin));
  });

  it("--uninstall takes the services away, the tunnel's too, and leaves settings and data", async (t) => {
    const place = freshPlace(t);
    const calls = playSystemd(place);
    await startAsService(t, place);
    await install(place);
    const units = join(place.home, ".config/systemd/user");
    cpSync(
      join(place.checkout, "systemd/claude-relay-ngrok.service"),
      join(units, "claude-relay-ngrok.service"),
    );
    const { status, said } = await install(place, "--uninstall");
    assert.equal(status, 0, said);
    assert.deepEqual(calls().slice(-3), [
      "systemctl --user disable --now claude-relay-ngrok",
      "systemctl --user disable --now claude-relay",
      "systemctl --user daemon-reload",
    ]);
    assert.equal(execFileSync("ls", ["-A", units]).toString(), "");
    assert.ok(existsSync(join(place.checkout, "config.env")));
    assert.ok(existsSync(join(place.checkout, "data/relay.db")));
    assert.equal((await install(place, "--uninstall")).status, 0, "once more does no harm");
  });

  it("points the tunnel's unit, which is copied as it is, at this checkout", async (t) => {
    const place = freshPlace(t);
    playSystemd(place);
    await startAsService(t, place);
    await install(place);
    const dropin = join(
      place.home,
      ".config/systemd/user/claude-relay-ngrok.service.d/checkout.conf",
    );
    assert.match(
      readFileSync(dropin, "utf8"),
      new RegExp(`^EnvironmentFile=\nEnvironmentFile=${place.checkout}/config\\.env$`, "m"),
    );
  });

  it("without systemd, or as root, names the way that works and changes nothing", async (t) => {
    const place = freshPlace(t);
    playSystemd(place);
    standIn(place, "systemctl", "exit 1");
    const noSession = await install(place);
    assert.equal(noSession.status, 1);
    assert.match(noSession.said, /\.\/run\.sh/);
    standIn(place, "id", "echo 0");
    const root = await install(place);
    assert.equal(root.status, 1);
    assert.match(root.said, /without sudo/);
    assert.ok(!existsSync(join(place.checkout, "config.env")));
    assert.ok(!existsSync(join(place.home, ".config")));
  });
});
