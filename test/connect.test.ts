/** `claude-relay connect`, `token`, `env`, `run` and back again, against a real relay. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { launcher, newPerson, type Person } from "./harness/command-line.ts";
import { send, withToken } from "./harness/http.ts";
import { type Relay, startRelay } from "./harness/relay.ts";

const posix = { skip: process.platform === "win32", timeout: 120_000 };
const aToken = /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/;
const store = ["--store", "file"];

const modeOf = (path: string): number => statSync(path).mode & 0o777;

const withSettings = (person: Person, text: string): void => {
  mkdirSync(dirname(person.settings), { recursive: true });
  writeFileSync(person.settings, text);
};

/** Everything in the home, by path. */
const filesOf = (home: string): string[] =>
  readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(home.length + 1))
    .sort();

describe("claude-relay connect", posix, () => {
  let relay: Relay;
  before(async () => {
    relay = await startRelay();
  });
  after(() => relay.stop());

  const connected = async (t: TestContext, name?: string): Promise<Person> => {
    const person = newPerson(t, name);
    const { code, stderr } = await person.run(["connect", relay.url, ...store]);
    assert.equal(code, 0, stderr);
    return person;
  };
  const statusOf = async (token: string): Promise<number> =>
    (await send(relay.url, { path: "/v1/models", method: "GET", headers: withToken(token.trim()) }))
      .status;

  it("signs in, writes Claude Code's settings, checks with a real request, says what it did", async (t) => {
    const person = newPerson(t);
    const ran = await person.run(["connect", `${relay.url}/`, ...store]);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stderr, /is claude-relay [\d.]+; upstream: simulator/);
    assert.match(ran.stderr, /Checked with a real request: \d+ models; "Hello" is \d+ tokens/);
    assert.deepEqual(JSON.parse(readFileSync(person.settings, "utf8")), {
      apiKeyHelper: `${launcher} token --url ${relay.url}`,
      env: { ANTHROPIC_BASE_URL: relay.url, CLAUDE_CODE_API_KEY_HELPER_TTL_MS: "300000" },
    });
    assert.deepEqual(ran.stdout.trimEnd().split("\n"), [
      `export ANTHROPIC_BASE_URL='${relay.url}'`,
      `export ANTHROPIC_AUTH_TOKEN="$(${launcher} token --url ${relay.url})"`,
    ]);
    const { stdout: token } = await person.run(["token"]);
    assert.match(token, aToken);
    assert.equal(await statusOf(token), 200);
    assert.ok(!(ran.stdout + ran.stderr).includes(token.trim()), "no token on the screen");
  });

  it("keeps what it must remember for its owner's eyes only", async (t) => {
    const person = await connected(t);
    const kept = filesOf(person.folder);
    assert.ok(kept.includes("relays.json") && kept.includes("claude-code.json"), kept.join());
    for (const name of kept) {
      assert.equal(modeOf(join(person.folder, name)), 0o600, name);
    }
    assert.equal(modeOf(person.folder), 0o700);
    assert.equal(modeOf(person.settings), 0o600);
    const { stdout: token } = await person.run(["token"]);
    for (const name of ["relays.json", "claude-code.json"]) {
      assert.ok(!readFileSync(join(person.folder, name), "utf8").includes(token.trim()));
    }
  });

  it("merges with the settings that are there, backs them up once, and undoes only its own", async (t) => {
    const person = newPerson(t);
    const text =
      '{\n\t"model": "opus",\n\t"env": {"FOO": "1", "ANTHROPIC_API_KEY": "sk-mine"},\n\t"apiKeyHelper": "mine.sh"\n}\n';
    withSettings(person, text);
    const first = await person.run(["connect", relay.url, ...store]);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stderr, /Taken out of it until then: env\.ANTHROPIC_API_KEY\./);
    const again = await person.run(["connect", relay.url, ...store]);
    assert.match(again.stderr, /uses the relay already/);
    const backups = filesOf(dirname(person.settings)).filter((name) => name !== "settings.json");
    assert.equal(backups.length, 1);
    assert.match(backups[0]!, /^settings\.json\.before-claude-relay-20\d\d-/);
    assert.equal(readFileSync(join(dirname(person.settings), backups[0]!), "utf8"), text);

    const now = readFileSync(person.settings, "utf8");
    assert.deepEqual(Object.keys(JSON.parse(now)), ["model", "env", "apiKeyHelper"]);
    writeFileSync(person.settings, now.replace('"model": "opus"', '"model": "sonnet"'));
    const undone = await person.run(["connect", "--undo"]);
    assert.equal(undone.code, 0, undone.stderr);
    assert.deepEqual(JSON.parse(readFileSync(person.settings, "utf8")), {
      ...JSON.parse(text),
      model: "sonnet",
    });
  });

  it("--undo leaves nothing behind but the empty list, and the token is gone", async (t) => {
    const person = await connected(t);
    assert.equal((await person.run(["connect", "--undo"])).code, 0);
    const left = filesOf(person.home);
    assert.deepEqual(
      left.filter((name) => !/(relays|claude-code)\.json$/.test(name)),
      [],
    );
    const { code, stdout, stderr } = await person.run(["token"]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /not connected to a relay: .*claude-relay connect <url>/);
    const twice = await person.run(["connect", "--undo"]);
    assert.match(twice.stderr, /nothing to take back/);
  });

  it("--undo names the device that the relay still lists, and who can end it", async (t) => {
    const person = await connected(t);
    const { stderr } = await person.run(["connect", "--undo"]);
    const [, id] = /lists it as device ([0-9a-f-]{36}), .* devices revoke \1$/m.exec(stderr) ?? [];
    const { status, body } = await relay.admin(`/admin/devices/${id}`);
    assert.deepEqual([status, body.status], [200, "active"]);
  });

  it("says the way back in the words that work where it was called", async (t) => {
    const checkout = dirname(dirname(launcher));
    const here = await newPerson(t).run(["connect", relay.url, ...store], { cwd: checkout });
    assert.match(here.stderr, /Back with \.\/bin\/claude-relay connect --undo$/m);
    const { stderr: elsewhere } = await newPerson(t).run(["connect", relay.url, ...store]);
    assert.ok(elsewhere.includes(`Back with ${launcher} connect --undo\n`), elsewhere);
    const env = { PATH: `${dirname(launcher)}:${process.env["PATH"]}` };
    const { stderr: onPath } = await newPerson(t).run(["connect", relay.url, ...store], { env });
    assert.match(onPath, /Back with claude-relay connect --undo$/m);
  });

  it("does not say that Claude Code uses it while somebody is signed in to a gateway", async (t) => {
    const person = newPerson(t);
    withSettings(person, "{}");
    const gateway = { url: "https://gateway.example", jwt: "s3cret", idpRefreshToken: "s3cret" };
    const signIn = JSON.stringify({ enterpriseGateway: gateway });
    writeFileSync(join(dirname(person.settings), ".credentials.json"), signIn);
    const { code, stderr } = await person.run(["connect", relay.url, ...store]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /gateway https:\/\/gateway\.example, and that comes first.*\/logout/);
    assert.ok(!/Claude Code uses the relay|s3cret/.test(stderr), stderr);
    writeFileSync(join(dirname(person.settings), ".credentials.json"), "garbage");
    const again = await person.run(["connect", relay.url, ...store]);
    assert.match(again.stderr, /Claude Code uses the relay already/);
  });

  it("--print signs in and prints the settings instead of writing them", async (t) => {
    const person = newPerson(t);
    const { code, stdout, stderr } = await person.run(["connect", relay.url, "--print", ...store]);
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).env.ANTHROPIC_BASE_URL, relay.url);
    assert.ok(!filesOf(person.home).some((name) => name.includes("settings.json")));
    assert.match((await person.run(["token"])).stdout, aToken);
  });

  it("token needs no network while its token is good, and works from any folder", async (t) => {
    const own = await startRelay();
    const person = newPerson(t, "a home with 'spaces'");
    assert.equal((await person.run(["connect", own.url, ...store])).code, 0);
    const { stdout: token } = await person.run(["token"], { cwd: "/" });
    assert.match(token, aToken);
    await own.stop();
    const away = await person.run(["token"], { cwd: "/" });
    assert.deepEqual(away, { code: 0, stdout: token, stderr: "" });
  });

  it("env's lines set up a shell, and connect's lines do", async (t) => {
    const person = await connected(t);
    const { stdout: token } = await person.run(["token"]);
    const show =
      'printf "%s %s %s" "$ANTHROPIC_BASE_URL" "$ANTHROPIC_AUTH_TOKEN" "$ANTHROPIC_API_KEY"';
    const shell = (lines: string) =>
      spawnSync("sh", ["-c", `${lines}\n${show}`], {
        env: { ...person.env, ANTHROPIC_API_KEY: "mine" },
        encoding: "utf8",
      }).stdout;
    const { stdout: lines } = await person.run(["env", "--shell", "sh"]);
    assert.equal(shell(lines), `${relay.url} ${token.trim()} `);
    const { stdout: profile } = await person.run(["connect", relay.url, ...store]);
    assert.equal(shell(profile), `${relay.url} ${token.trim()} mine`);
    assert.match((await person.run(["env", "--shell", "fish"])).stdout, /^set -gx ANTHROPIC_BASE/);
    const wrong = await person.run(["env", "--shell", "tcsh"]);
    assert.equal(wrong.code, 1);
  });

  it("run starts a program where it was called, with the environment and its own exit code", async (t) => {
    const person = await connected(t);
    const work = join(person.home, "my work");
    mkdirSync(work);
    const script = `
      const answer = await fetch(process.env.ANTHROPIC_BASE_URL + "/v1/models", {
        headers: { authorization: "Bearer " + process.env.ANTHROPIC_AUTH_TOKEN, "anthropic-version": "2023-06-01" } });
      console.log(JSON.stringify([answer.status, process.cwd(), process.env.PWD,
        process.env.ANTHROPIC_API_KEY ?? null, process.env.CLAUDE_RELAY_CALLED_FROM ?? null, process.argv.slice(1)]));
      process.exitCode = 7;`;
    const ran = await person.run(
      [
        "run",
        "--",
        process.execPath,
        "--input-type=module",
        "-e",
        script,
        "--",
        "--url",
        "x",
        "a b",
      ],
      { cwd: work, env: { ANTHROPIC_API_KEY: "mine" } },
    );
    assert.equal(ran.code, 7, ran.stderr);
    assert.deepEqual(JSON.parse(ran.stdout), [200, work, work, null, null, ["--url", "x", "a b"]]);
  });

  it("run passes signals on, and says as a shell does what could not be run", async (t) => {
    const person = await connected(t);
    const trap = "trap 'echo got it; exit 9' TERM; echo ready; while :; do sleep 0.05; done";
    const running = person.start(["run", "--", "sh", "-c", trap]);
    await running.says(/ready/);
    running.process.kill("SIGTERM");
    assert.deepEqual(await running.ended, { code: 9, stdout: "ready\ngot it\n", stderr: "" });
    assert.equal((await person.run(["run", "--", "sh", "-c", "kill -KILL $$"])).code, 137);
    const missing = await person.run(["run", "--", "no-such-program"]);
    assert.equal(missing.code, 127);
    assert.match(missing.stderr, /no program no-such-program/);
    assert.equal((await person.run(["run", "--", "/dev/null"])).code, 126);
  });

  it("to two relays keeps both: the last is meant, --url names the other, an undo goes all the way back", async (t) => {
    const other = await startRelay();
    t.after(() => other.stop());
    const person = newPerson(t);
    withSettings(person, '{"apiKeyHelper":"mine.sh"}');
    assert.equal((await person.run(["connect", relay.url, ...store])).code, 0);
    assert.equal((await person.run(["connect", other.url, ...store])).code, 0);
    const { stdout: last } = await person.run(["token"]);
    const { stdout: named } = await person.run(["token", "--url", relay.url]);
    assert.deepEqual(
      [last, named].map((token) => aToken.test(token)),
      [true, true],
    );
    assert.notEqual(last, named);
    assert.equal(await statusOf(named), 200);
    assert.equal(
      (await person.run(["token"], { env: { CLAUDE_RELAY_URL: relay.url } })).stdout,
      named,
    );
    assert.match((await person.run(["env"])).stdout, new RegExp(other.url));
    assert.equal((await person.run(["connect", "--undo"])).code, 0);
    assert.equal(readFileSync(person.settings, "utf8"), '{"apiKeyHelper":"mine.sh"}');
    assert.equal((await person.run(["token"])).stdout, named, "the other one is still there");
    const gone = await person.run(["token", "--url", other.url]);
    assert.match(gone.stderr, /not connected to .* It is connected to/);
  });
});
