/** The real Claude Code, pinned in test/tools, with nothing but the settings that `claude-relay connect` wrote. */
import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { after, before, describe, it, type TestContext } from "node:test";
import { newPerson, type Person } from "./harness/command-line.ts";
import { type InsideRelay, startInside } from "./harness/inside.ts";
import { findNode20 } from "./harness/node-20.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const root = new URL("..", import.meta.url).pathname;
const binary = join(
  root,
  `test/tools/node_modules/@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude`,
);
const skip = existsSync(binary)
  ? false
  : "the real Claude Code is not installed: npm ci --prefix test/tools --ignore-scripts";
const hourMs = 3_600_000;

type Claude = Readonly<{
  /** Says it, and waits for the end of the answer. */
  // biome-ignore lint/suspicious/noExplicitAny: Claude Code's own result line
  say(text: string): Promise<any>;
  leave(): Promise<number | null>;
}>;

/** A session as a person has one: several turns, in a folder of its own, with no setting but the files'. */
const startClaude = (t: TestContext, { home, env }: Person): Claude => {
  const work = join(home, "work");
  mkdirSync(work, { recursive: true });
  const streams = ["--input-format", "stream-json", "--output-format", "stream-json", "--verbose"];
  const child = spawn(binary, ["-p", ...streams, "--model", "claude-sonnet-4-5-20250929"], {
    cwd: work,
    env: {
      ...env,
      PATH: "/usr/bin:/bin",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
    },
    stdio: ["pipe", "pipe", "pipe"],
  }) as ChildProcessByStdio<Writable, Readable, Readable>;
  const closed = once(child, "close") as Promise<[number | null]>;
  t.after(() => child.kill("SIGKILL"));
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    say: async (text) => {
      const message = { role: "user", content: text };
      child.stdin.write(`${JSON.stringify({ type: "user", message })}\n`);
      for (;;) {
        const { value, done } = await lines.next();
        if (done) {
          throw new Error(`Claude Code ended: ${stderr}`);
        }
        const line = JSON.parse(value);
        if (line.type === "result") {
          return line;
        }
      }
    },
    leave: async () => {
      child.stdin.end();
      return (await closed)[0];
    },
  };
};

/** This checkout somewhere else: a path with a space and a quote in it. */
const checkoutElsewhere = (t: TestContext): string => {
  const folder = join(tempFolder(t), "Max's tools");
  mkdirSync(join(folder, "packages"), { recursive: true });
  for (const name of ["bin", "scripts", "packages/cli"]) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return join(folder, "bin", "claude-relay");
};

describe("the real Claude Code, once connected", { skip, timeout: 180_000 }, () => {
  let relay: InsideRelay;
  before(async () => {
    if (!skip) {
      relay = await startInside({ now: Date.now() });
    }
  });
  after(() => relay?.remove());

  const asked = (marker: string) => relay.simulator.log.filter(({ body }) => body.includes(marker));
  const signInOf = ({ folder }: Person): string =>
    join(folder, readdirSync(folder).find((name) => /^sign-in-.*\.json$/.test(name)) ?? "");

  const connected = async (t: TestContext, file?: string, path?: string): Promise<Person> => {
    const person = newPerson(t, "my home");
    const { code, stderr } = await person.run(["connect", relay.url, "--store", "file"], {
      cwd: "/",
      ...(file && { file }),
      ...(path && { env: { PATH: path } }),
    });
    assert.equal(code, 0, stderr);
    return person;
  };

  it("speaks to Claude through the relay, as this machine's device", async (t) => {
    const claude = startClaude(t, await connected(t));
    const result = await claude.say("the marker is apricot");
    assert.equal(result.is_error, false, result.result);
    assert.match(result.result, /You said: the marker is apricot/);
    assert.equal(await claude.leave(), 0);
    assert.equal(asked("marker is apricot").length, 1);
  });

  it("goes on when its token expires in the middle of a session", async (t) => {
    const person = await connected(t);
    const { stdout: first } = await person.run(["token"]);
    const claude = startClaude(t, person);
    assert.equal((await claude.say("the marker is pear")).is_error, false);

    // Two days pass, for the relay and for what this machine knows of its token.
    relay.advance(48 * hourMs);
    const path = signInOf(person);
    const kept = JSON.parse(readFileSync(path, "utf8"));
    const name = `token ${relay.url}`;
    const token = JSON.parse(kept[name]);
    const older = {
      issued_at: token.issued_at - 48 * hourMs,
      expires_at: token.expires_at - 48 * hourMs,
    };
    writeFileSync(
      path,
      JSON.stringify({ ...kept, [name]: JSON.stringify({ ...token, ...older }) }),
    );

    const result = await claude.say("the marker is fig");
    assert.equal(result.is_error, false, result.result);
    assert.match(result.result, /You said: the marker is fig/);
    assert.equal(await claude.leave(), 0);
    assert.equal(asked("marker is fig").length, 1, "upstream saw only the good one");
    const refused = await relay.admin("/admin/audit?action=credential.refuse&limit=1000");
    assert.match(JSON.stringify(refused.body.data), /Token expired/);
    const { stdout: second } = await person.run(["token"]);
    assert.notEqual(second, first);
    assert.equal((await relay.ask(first.trim())).status, 401);
    assert.equal((await relay.ask(second.trim())).status, 200);
  });

  const node20 = findNode20();
  const without = node20 === undefined ? "there is no Node 20 on PATH" : false;
  it("finds its helper in a path with spaces, under an old Node", { skip: without }, async (t) => {
    const launcher = checkoutElsewhere(t);
    const path = `${dirname(node20 ?? "")}:/usr/bin:/bin`;
    const person = await connected(t, launcher, path);
    const { apiKeyHelper } = JSON.parse(readFileSync(person.settings, "utf8"));
    assert.ok(apiKeyHelper.includes("Max'\\''s tools/bin/claude-relay' token"), apiKeyHelper);
    const claude = startClaude(t, person);
    const result = await claude.say("the marker is lemon");
    assert.equal(result.is_error, false, result.result);
    assert.match(result.result, /You said: the marker is lemon/);
    assert.equal(await claude.leave(), 0);
  });

  it("after an undo does not know the relay any more", async (t) => {
    const person = await connected(t);
    assert.equal((await person.run(["connect", "--undo"])).code, 0);
    assert.equal(existsSync(person.settings), false);
  });
});
