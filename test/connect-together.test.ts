/** `claude-relay connect` beside another one, and one whose last step fails: an undo still finds the way back. */
import assert from "node:assert/strict";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { newPerson, type Person } from "./harness/command-line.ts";
import { type Relay, startRelay } from "./harness/relay.ts";

const posix = { skip: process.platform === "win32", timeout: 120_000 };
const store = ["--store", "file"];
const mine = '{"apiKeyHelper":"mine.sh"}';

describe("connecting to two relays", posix, () => {
  let one: Relay;
  let two: Relay;
  before(async () => {
    [one, two] = await Promise.all([startRelay(), startRelay()]);
  });
  after(() => Promise.all([one.stop(), two.stop()]));

  const withMine = (t: TestContext): Person => {
    const person = newPerson(t);
    mkdirSync(dirname(person.settings), { recursive: true });
    writeFileSync(person.settings, mine);
    return person;
  };
  const inSettings = ({ settings }: Person): string =>
    JSON.parse(readFileSync(settings, "utf8")).env.ANTHROPIC_BASE_URL;
  const state = ({ folder }: Person, name: string) =>
    JSON.parse(readFileSync(join(folder, name), "utf8"));

  it("at once leaves settings, undo and usual relay of one of them", async (t) => {
    const person = withMine(t);
    const urls = [one.url, two.url, one.url, two.url, one.url, two.url];
    const ran = await Promise.all(urls.map((url) => person.run(["connect", url, ...store])));
    for (const { code, stderr } of ran) {
      assert.equal(code, 0, stderr);
    }
    const meant = inSettings(person);
    assert.equal(state(person, "claude-code.json")[person.settings].url, meant);
    const { default: usual, relays } = state(person, "relays.json");
    assert.equal(usual, meant);
    assert.deepEqual(Object.keys(relays).sort(), [one.url, two.url].sort());
    assert.equal((await person.run(["connect", "--undo"])).code, 0);
    assert.equal(readFileSync(person.settings, "utf8"), mine);
  });

  it("or the same one at once is one sign-in, which an undo forgets", async (t) => {
    const person = newPerson(t);
    const connect = () => person.run(["connect", one.url, ...store]);
    const ran = await Promise.all(Array.from({ length: 5 }, connect));
    for (const { code, stderr } of ran) {
      assert.equal(code, 0, stderr);
    }
    const undone = await person.run(["connect", "--undo"]);
    assert.match(undone.stderr, /has forgotten its sign-in/);
    assert.deepEqual(
      readdirSync(person.folder).filter((name) => name.startsWith("sign-in-")),
      [],
    );
  });

  it("keeps the way back to the first when the second cannot write the settings", async (t) => {
    const person = withMine(t);
    assert.equal((await person.run(["connect", one.url, ...store])).code, 0);
    const aside = `${person.settings}.aside`;
    renameSync(person.settings, aside);
    symlinkSync(join(person.home, "no-such-folder", "settings.json"), person.settings);
    const failed = await person.run(["connect", two.url, ...store]);
    assert.match(failed.stderr, /settings\.json cannot be written \(ENOENT\)/);
    assert.equal(failed.code, 1);
    rmSync(person.settings);
    renameSync(aside, person.settings);
    assert.equal((await person.run(["connect", "--undo"])).code, 0);
    assert.equal(readFileSync(person.settings, "utf8"), mine);
  });
});
