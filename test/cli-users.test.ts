/** `claude-relay users password` against a real relay: what comes on standard input opens the sign-in. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type InsideRelay, startInside } from "./harness/inside.ts";
import { adminToken } from "./harness/secrets.ts";
import { password, signIn } from "./harness/sign-in.ts";

const bin = new URL("../bin", import.meta.url).pathname;

describe("passwords from the command line", { skip: process.platform === "win32" }, () => {
  let relay: InsideRelay;
  before(async () => {
    relay = await startInside({ env: { GATEWAY_SIGNIN: "on" } });
    await relay.admin("/admin/users", { body: { id: "ann" } });
  });
  after(() => relay.remove());

  const users = async (args: readonly string[], input: string) => {
    const env = {
      PATH: process.env["PATH"] ?? "",
      CLAUDE_RELAY_URL: relay.url,
      ADMIN_TOKEN: adminToken,
    };
    const child = spawn(join(bin, "claude-relay"), ["users", ...args], { cwd: "/", env });
    const said: Buffer[] = [];
    child.stdout.on("data", (chunk) => said.push(chunk));
    child.stderr.on("data", (chunk) => said.push(chunk));
    child.stdin.end(input);
    const [code] = await once(child, "close");
    return { code, said: Buffer.concat(said).toString() };
  };

  it("sets one, with which its user signs in, and takes it away", async () => {
    const set = await users(["password", "ann"], `${password}\n`);
    assert.equal(set.code, 0, set.said);
    assert.ok(!set.said.includes(password));
    const tokens = await signIn(relay);
    assert.equal((await relay.ask(tokens.access_token)).status, 200);
    const gone = await users(["password", "ann", "--remove"], "");
    assert.equal(gone.code, 0, gone.said);
    assert.equal((await relay.ask(tokens.access_token)).status, 401);
  });

  it("adds a user, who is listed and can be given a password", async () => {
    await relay.admin("/admin/organizations", { body: { id: "lab" } });
    const added = await users(["add", "bob", "--full-name", "Bob B.", "--organization", "lab"], "");
    assert.equal(added.code, 0, added.said);
    assert.match(added.said, /users password bob/);
    assert.match((await users(["list"], "")).said, /^bob +Bob B\. +lab +20\d\d-/m);
    assert.equal((await users(["password", "bob"], `${password}\n`)).code, 0);
    const again = await users(["add", "bob"], "");
    assert.match(again.said, /bob/);
    assert.equal(again.code, 1);
    assert.match((await users(["add", "eve", "--organization", "no"], "")).said, /"no"/);
  });

  it("says what is wrong with a weak one, an unknown user and no input", async () => {
    assert.match((await users(["password", "ann"], "short\n")).said, /12 to 1024 characters/);
    assert.match(
      (await users(["password", "zoe"], `${password}\n`)).said,
      /no user "zoe".*users add zoe/,
    );
    const empty = await users(["password", "ann"], "");
    assert.match(empty.said, /standard input/);
    assert.notEqual(empty.code, 0);
  });
});
