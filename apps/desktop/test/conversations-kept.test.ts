/** Conversations on disk: what a restart, a crash, a meddler and a lost key leave of them. */
import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { watch } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { createMemoryStore } from "@claude-relay/client/device";
import { type Setting, startSetting } from "../../../test/harness/anthropic.ts";
import { createTestStore } from "../../../test/harness/device-session.ts";
import type { AssistantMessage } from "../src/bridge/conversation.ts";
import { type Desk, faultOf, haiku, signIn, sitDown } from "./harness/chat-desk.ts";
import { begin } from "./harness/chat-places.ts";

const keyEntry = "conversations key";

describe("conversations", { concurrency: 4 }, () => {
  let setting: Setting;
  before(async () => {
    setting = await startSetting();
  });
  after(() => setting.stop());

  const open = (t: TestContext, like: Partial<Pick<Desk, "folder" | "store">> = {}): Desk =>
    sitDown(t, { relay: signIn(t, setting.relay.url).access, ...like });

  /** The same app started again, after a proper end. */
  const restart = async (t: TestContext, desk: Desk): Promise<Desk> => {
    await desk.chat.stop();
    return open(t, desk);
  };

  const folderOf = ({ folder }: Desk): string => join(folder, "conversations");
  const fileOf = (desk: Desk, id: string): string => join(folderOf(desk), `${id}.conversation`);

  it("are read back after a restart, newest first, as they were", async (t) => {
    const desk = open(t);
    const one = await desk.ask("Remember the first.");
    const two = await desk.ask("Remember the second.");
    await desk.call["conversations.rename"]({ id: one.conversationId, title: " Mine " });
    const list = await desk.call["conversations.list"]({});
    assert.deepEqual(
      list.map(({ id, title }) => [id, title]),
      [
        [two.conversationId, "Remember the second."],
        [one.conversationId, "Mine"],
      ],
    );
    const whole = await desk.call["conversations.get"]({ id: one.conversationId });
    const again = await restart(t, desk);
    assert.deepEqual(await again.call["conversations.list"]({}), list);
    assert.deepEqual(await again.call["conversations.get"]({ id: one.conversationId }), whole);
    assert.deepEqual(again.chat.notices(), []);
    await again.call["conversations.delete"]({ id: two.conversationId });
    assert.deepEqual(readdirSync(folderOf(desk)), [`${one.conversationId}.conversation`]);
  });

  it("are their user's alone on disk, and nothing in the file can be read", async (t) => {
    const desk = open(t);
    const { conversationId } = await desk.ask("A secret of mine.");
    await desk.chat.stop();
    assert.equal(statSync(folderOf(desk)).mode & 0o777, 0o700);
    const path = fileOf(desk, conversationId);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const bytes = readFileSync(path).toString("latin1");
    for (const word of ["secret", "simulator", "messages", haiku]) {
      assert.ok(!bytes.includes(word), word);
    }
    const key = await desk.store.get(keyEntry);
    assert.equal(Buffer.from(key ?? "", "base64url").length, 32);
    for (const name of readdirSync(desk.folder, { recursive: true, encoding: "utf8" })) {
      const path_ = join(desk.folder, name);
      assert.ok(
        statSync(path_).isDirectory() || !readFileSync(path_, "latin1").includes(key ?? ""),
      );
    }
  });

  it("lose at most a second of an answer when the app dies, and say that it broke off", async (t) => {
    const desk = open(t);
    const { id } = await begin(desk, "claude-sim-paced:4000:5");
    // The app is not stopped: what is on disk now is what its death would leave.
    const left = async (): Promise<AssistantMessage> => {
      for await (const _ of watch(folderOf(desk))) {
        const reply = await open(t, desk).reply(id);
        if (reply.text !== "") {
          return reply;
        }
      }
      return assert.fail();
    };
    const reply = await left();
    assert.match(reply.text, /^(tick )+$/);
    const fault = faultOf(reply);
    assert.equal(fault.kind, "broken_off");
    assert.match(fault.message, /closed before/);
    await desk.call["chat.stop"]({ conversationId: id });
  });

  it("that were changed or cut on disk are put aside and told of; the others stay", async (t) => {
    const desk = open(t);
    const ids = [];
    for (const text of ["whole", "changed", "cut", "swapped", "empty"]) {
      ids.push((await desk.ask(text)).conversationId);
    }
    await desk.chat.stop();
    const [whole = "", changed = "", cut = "", swapped = "", empty = ""] = ids;
    const bytes = readFileSync(fileOf(desk, changed));
    bytes[60] = (bytes[60] ?? 0) ^ 1;
    writeFileSync(fileOf(desk, changed), bytes);
    writeFileSync(fileOf(desk, cut), readFileSync(fileOf(desk, cut)).subarray(0, 100));
    writeFileSync(fileOf(desk, swapped), readFileSync(fileOf(desk, whole)));
    writeFileSync(fileOf(desk, empty), "");
    writeFileSync(join(folderOf(desk), "notes.txt"), "somebody else's");
    const again = open(t, desk);
    const list = await again.call["conversations.list"]({});
    assert.deepEqual(
      list.map(({ id }) => id),
      [whole],
    );
    const [notice, ...more] = again.chat.notices();
    assert.match(notice ?? "", /^4 conversations could not be read .* \.damaged/);
    assert.deepEqual(more, []);
    assert.deepEqual(
      readdirSync(folderOf(desk)).sort(),
      [
        `${whole}.conversation`,
        "notes.txt",
        ...[changed, cut, swapped, empty].map((id) => `${id}.conversation.damaged`),
      ].sort(),
    );
    assert.deepEqual((await restart(t, again)).chat.notices(), []);
  });

  it("that the system does not give are told of and left; the others are there", async (t) => {
    const desk = open(t);
    const { conversationId: there } = await desk.ask("Still here.");
    const { conversationId: lost } = await desk.ask("Out of reach.");
    await desk.chat.stop();
    // Of more than two gigabytes, which Node refuses to read: no permission would stop a root's test.
    truncateSync(fileOf(desk, lost), 2 ** 31 + 1);
    // And what looks like a leftover to be removed, and cannot be.
    const folder = join(folderOf(desk), ".leftover.tmp");
    mkdirSync(folder);
    utimesSync(folder, 0, 0);
    const again = open(t, desk);
    const list = await again.call["conversations.list"]({});
    assert.deepEqual(
      list.map(({ id }) => id),
      [there],
    );
    assert.match(again.chat.notices().join(), /^One conversation cannot be read at the moment/);
    const { conversationId: newer } = await again.ask("Written to disk?");
    await again.chat.stop();
    const files = [there, lost, newer].map((id) => `${id}.conversation`);
    assert.deepEqual(readdirSync(folderOf(desk)).sort(), [".leftover.tmp", ...files.sort()]);
  });

  it("damaged while the app runs are not found when they are opened", async (t) => {
    const first = open(t);
    const { conversationId: id } = await first.ask("Still there?");
    const desk = await restart(t, first);
    assert.equal((await desk.call["conversations.list"]({})).length, 1);
    writeFileSync(fileOf(desk, id), "nonsense");
    await assert.rejects(desk.call["conversations.get"]({ id }), { code: "not_found" });
    assert.match((await desk.event("notice")).message, /^One conversation could not be read/);
    assert.deepEqual(await desk.call["conversations.list"]({}), []);
    await desk.event("conversations_changed", ({ conversations }) => conversations.length === 0);
  });

  it("whose key is lost are put aside, and come back with it", async (t) => {
    const desk = open(t);
    const { conversationId } = await desk.ask("Locked away.");
    await desk.chat.stop();
    const key = (await desk.store.get(keyEntry)) ?? "";
    await desk.store.delete(keyEntry);
    const without = open(t, desk);
    assert.deepEqual(await without.call["conversations.list"]({}), []);
    assert.match(without.chat.notices()[0] ?? "", /the key is no longer in the keychain/);
    const { conversationId: newer } = await without.ask("With another key.");
    await without.chat.stop();
    assert.notEqual(await desk.store.get(keyEntry), key);
    assert.deepEqual(
      readdirSync(folderOf(desk)).sort(),
      [`${conversationId}.conversation.other-key`, `${newer}.conversation`].sort(),
    );
    await desk.store.set(keyEntry, key);
    const back = open(t, desk);
    const list = await back.call["conversations.list"]({});
    assert.deepEqual(
      list.map(({ id }) => id),
      [conversationId],
    );
    assert.match((await back.reply(conversationId)).text, /Locked away/);
  });

  it("live in memory where there is no keychain, and the user is told", async (t) => {
    const desk = open(t, { store: createMemoryStore() });
    const { conversationId } = await desk.ask("Only for now.");
    assert.equal((await desk.call["conversations.list"]({})).length, 1);
    assert.match((await desk.reply(conversationId)).text, /Only for now/);
    assert.match(desk.chat.notices()[0] ?? "", /^Without a system keychain .* not written to disk/);
    await desk.chat.stop();
    assert.deepEqual(readdirSync(desk.folder), []);
  });

  it("are neither shown nor put aside while the keychain refuses its key", async (t) => {
    const store = createTestStore();
    const desk = open(t, { store });
    const { conversationId } = await desk.ask("Wait for me.");
    await desk.chat.stop();
    store.broken = true;
    const locked = open(t, desk);
    assert.deepEqual(await locked.call["conversations.list"]({}), []);
    const [notice = ""] = locked.chat.notices();
    assert.match(notice, /keychain did not give the key .* Unlock the keychain/);
    assert.doesNotMatch(notice, /planted/);
    assert.equal((await locked.ask("Meanwhile.")).reply.ending.kind, "complete");
    await locked.chat.stop();
    store.broken = false;
    const again = open(t, desk);
    const list = await again.call["conversations.list"]({});
    assert.deepEqual(
      list.map(({ id }) => id),
      [conversationId],
    );
  });

  it("go on where the folder cannot be written, and are saved when it can again", async (t) => {
    const desk = open(t);
    const { id } = await desk.call["conversations.create"]({ model: haiku });
    await desk.call["conversations.rename"]({ id, title: "Written" });
    // Root may write anywhere: the folder itself goes away.
    renameSync(folderOf(desk), `${folderOf(desk)}.away`);
    await desk.call["conversations.rename"]({ id, title: "Kept in memory" });
    assert.match((await desk.event("notice")).message, /cannot be saved now \(ENOENT\)/);
    assert.equal((await desk.call["conversations.get"]({ id })).title, "Kept in memory");
    renameSync(`${folderOf(desk)}.away`, folderOf(desk));
    const again = await restart(t, desk);
    assert.equal((await again.call["conversations.get"]({ id })).title, "Kept in memory");
  });

  it("in a folder that others may enter make it private", async (t) => {
    const desk = open(t);
    await desk.call["conversations.create"]({ model: haiku });
    await desk.chat.stop();
    chmodSync(folderOf(desk), 0o755);
    await open(t, desk).call["conversations.list"]({});
    assert.equal(statSync(folderOf(desk)).mode & 0o777, 0o700);
  });
});
