/** The main process before a window that somebody else has taken over: it answers, and stays as it was. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { haiku } from "./harness/chat-desk.ts";
import { deskOf, fault } from "./harness/main-process.ts";
import { type Shell, startShell } from "./harness/shell.ts";

const open = (t: TestContext): Shell => startShell(t, deskOf(t));

describe("a window that is not to be trusted", { concurrency: 4 }, () => {
  it("that makes thousands of conversations at once is told of them in a few lists", async (t) => {
    const shell = open(t);
    const made = Array.from({ length: 3000 }, () =>
      shell.call("conversations.create", { model: haiku }),
    );
    await Promise.all(made);
    const lists = () =>
      shell.events.flatMap((event) =>
        event.type === "conversations_changed" ? [event.conversations.length] : [],
      );
    await shell.until(() => lists().at(-1) === 3000);
    assert.ok(lists().length < 50, `${lists().length} lists`);
  });

  it("reaches nothing with parameters that are none", async (t) => {
    const shell = open(t);
    const before = await shell.call("state.get", {});
    const wide = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`k${at}`, at]));
    const deep: unknown = JSON.parse(`${"[".repeat(5000)}${"]".repeat(5000)}`);
    const polluting: unknown = JSON.parse(
      '{"__proto__":{"theme":"dark"},"constructor":{"prototype":{"theme":"dark"}}}',
    );
    for (const params of [wide, deep, polluting, null, "x", 7, []]) {
      await assert.rejects(shell.callRaw("settings.set", params), fault("invalid_params", /./));
    }
    for (const method of ["__proto__", "constructor", "toString", "secret_get"]) {
      await assert.rejects(shell.callRaw(method, {}), fault("unknown_method", /./));
    }
    assert.deepEqual(await shell.call("state.get", {}), before);
  });
});
