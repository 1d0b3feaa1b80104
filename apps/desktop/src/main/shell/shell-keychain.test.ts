import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { FakeTime } from "../../../test/harness/fake-time.ts";
import type { FromMain } from "../../bridge/wire.ts";
import { keychainOrMemory, ShellKeychain, ShellKeychainError } from "./shell-keychain.ts";

type SecretAsk = Extract<FromMain, { type: `secret_${string}` }>;

const withShell = () => {
  const time = new FakeTime();
  const asked: SecretAsk[] = [];
  const keychain = new ShellKeychain({ send: (line) => asked.push(line), timers: time.timers });
  const reply = async (value: string | null): Promise<void> => {
    keychain.answer({ type: "secret_reply", id: asked.at(-1)?.id ?? 0, value });
    await turn();
  };
  const refuse = async (code: "no_keychain" | "failed", message: string): Promise<void> => {
    keychain.answer({ type: "secret_fault", id: asked.at(-1)?.id ?? 0, code, message });
    await turn();
  };
  return { time, asked, keychain, store: keychain.store, reply, refuse };
};

describe("the shell's keychain", () => {
  it("is asked one thing after the other, each with a number of its own", async () => {
    const { asked, store, reply } = withShell();
    const all = Promise.all([store.set("a", "1"), store.get("a"), store.delete("a")]);
    await turn();
    assert.deepEqual(asked, [{ type: "secret_set", id: 1, name: "a", value: "1" }]);
    await reply(null);
    assert.deepEqual(asked.at(-1), { type: "secret_get", id: 2, name: "a" });
    await reply("1");
    assert.deepEqual(asked.at(-1), { type: "secret_delete", id: 3, name: "a" });
    await reply(null);
    assert.deepEqual(await all, [undefined, "1", undefined]);
  });

  it("that fails says why, on one line, and goes on with what is next", async () => {
    const { store, refuse, reply } = withShell();
    const first = assert.rejects(store.get("a"), (error: unknown) => {
      assert.ok(error instanceof ShellKeychainError);
      assert.equal(error.code, "failed");
      assert.equal(error.message, "the prompt was dismissed");
      return true;
    });
    const second = store.get("b");
    await turn();
    await refuse("failed", "the prompt\nwas dismissed\u001b");
    await first;
    await reply("2");
    assert.equal(await second, "2");
  });

  it("that does not answer is waited for a minute, and its late answer counts for nothing", async () => {
    const { time, asked, keychain, store } = withShell();
    const late = assert.rejects(store.get("a"), /does not answer/);
    await time.pass(59_999);
    const next = store.get("b");
    await time.pass(1);
    await late;
    keychain.answer({ type: "secret_reply", id: 1, value: "late" });
    await turn();
    assert.equal(asked.length, 2);
    keychain.answer({ type: "secret_reply", id: 2, value: "right" });
    assert.equal(await next, "right");
  });

  it("whose shell is going is asked nothing more, but is still told what to keep", async () => {
    const { time, asked, keychain, store } = withShell();
    const question = assert.rejects(store.get("a"), /the shell is gone/);
    await turn();
    keychain.close();
    await question;
    let isKept = false;
    const kept = store.set("token", "new").then(() => {
      isKept = true;
    });
    await time.pass(299);
    assert.deepEqual(asked.at(-1), { type: "secret_set", id: 2, name: "token", value: "new" });
    assert.equal(isKept, false, "the shell needs a moment");
    await time.pass(1);
    await kept;
    await assert.rejects(store.get("a"), /the shell is gone/);
  });

  it("that was being told something when the shell went has kept it in a moment", async () => {
    const { time, keychain, store } = withShell();
    const kept = store.delete("token");
    await turn();
    keychain.close();
    await time.pass(300);
    await kept;
  });
});

describe("where secrets are kept", () => {
  it("is the keychain, once it was seen to remember", async () => {
    const { keychain, asked, reply } = withShell();
    const opening = keychainOrMemory(keychain);
    await turn();
    for (const value of [null, null, "ok"]) {
      await reply(value);
    }
    assert.deepEqual(await opening, { store: keychain.store, notice: null });
    assert.deepEqual(
      asked.map(({ type }) => type),
      ["secret_get", "secret_set", "secret_get"],
    );
  });

  it("is asked only once where it was seen before", async () => {
    const { keychain, asked, reply } = withShell();
    const opening = keychainOrMemory(keychain);
    await turn();
    await reply("ok");
    assert.equal((await opening).store.kind, "keychain");
    assert.equal(asked.length, 1);
  });

  for (const [what, code, says] of [
    ["there is no keychain", "no_keychain", /^No system keychain found\. Your sign-in is kept in/],
    [
      "it cannot be opened",
      "failed",
      /cannot be used: the disk is full\. Unlock it and start the app again\./,
    ],
  ] as const) {
    it(`is memory where ${what}, and the user is told`, async () => {
      const { keychain, refuse } = withShell();
      const opening = keychainOrMemory(keychain);
      await turn();
      await refuse(code, "the disk is full.");
      const { store, notice } = await opening;
      assert.equal(store.kind, "memory");
      assert.match(notice ?? "", says);
    });
  }

  it("is memory where its user does not unlock it, in words that a person knows", async () => {
    const { keychain, refuse } = withShell();
    const opening = keychainOrMemory(keychain);
    await turn();
    await refuse("failed", "Couldn't access platform storage: SS error: prompt dismissed");
    const { store, notice } = await opening;
    assert.equal(store.kind, "memory");
    assert.match(notice ?? "", /^The system keychain stayed locked\. Unlock it and start/);
  });

  it("is memory where the keychain forgets", async () => {
    const { keychain, reply } = withShell();
    const opening = keychainOrMemory(keychain);
    await turn();
    for (const value of [null, null, null]) {
      await reply(value);
    }
    const { store, notice } = await opening;
    assert.equal(store.kind, "memory");
    assert.match(notice ?? "", /it forgets/);
  });
});
