/** What each lock of the core is for: with it the attack fails, without it alone the attack succeeds. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import {
  type CoreLock,
  coreLocks,
  everyLock,
  type Locks,
} from "../packages/server/src/upstreams/claude-cli/locks.ts";
import { apiKey, runWithLocks, skip, startAnthropic, tempFolder } from "./harness/claude-cli.ts";
import { canaryWords, plantTraps, startCanary } from "./harness/claude-cli-traps.ts";

/** The core with nothing in depth behind it, all of it or but one lock. */
const core = (without?: CoreLock): Locks => ({
  core: new Set(coreLocks.filter((lock) => lock !== without)),
  depth: false,
});

const prepare = async (t: TestContext) => {
  const directory = tempFolder(t);
  const work = join(directory, "work");
  const marks = join(directory, "marks");
  for (const path of [work, marks]) {
    mkdirSync(path);
  }
  const canary = join(work, "canary.txt");
  writeFileSync(canary, canaryWords);
  return { directory, work, marks, canary, ...(await startAnthropic(t)) };
};

describe("each lock of Claude Code's core", { skip, concurrency: 2, timeout: 120_000 }, () => {
  for (const [without, reads] of [
    [undefined, false],
    ["no_tools", true],
  ] as const) {
    it(`${without ?? "all"}: a tool the model asks for is ${reads ? "" : "not "}run`, async (t) => {
      const { directory, canary, url } = await prepare(t);
      for (const [tool, input] of [
        ["Read", { file_path: canary }],
        ["Bash", { command: "cat canary.txt" }],
      ] as const) {
        const { stdout } = await runWithLocks({
          directory,
          url,
          locks: core(without),
          model: `claude-sim-tool:${tool}`,
          prompt: `take ${JSON.stringify(input)}`,
          env: { PATH: "/usr/bin:/bin" },
        });
        assert.equal(stdout.includes(canaryWords), reads, `${tool}: ${stdout.slice(-2000)}`);
        assert.equal(stdout.includes("No such tool available"), !reads, tool);
      }
    });
  }

  for (const [without, obeyed] of [
    [undefined, false],
    ["no_settings", true],
  ] as const) {
    it(`${without ?? "all"}: settings in the working directory ${obeyed ? "redirect the key and run hooks" : "do nothing"}`, async (t) => {
      const { directory, work, marks, url, bodies } = await prepare(t);
      const canary = await startCanary(t);
      plantTraps(work, marks, canary.url);
      await runWithLocks({
        directory,
        url,
        locks: core(without),
        prompt: "hello",
        env: { CLAUDE_CODE_MAX_RETRIES: "0" },
      });
      const stolen = canary.heard.some((request) => request.includes(apiKey));
      assert.equal(stolen, obeyed);
      assert.equal(readdirSync(marks).includes("hook-SessionStart"), obeyed);
      assert.equal(bodies().length, obeyed ? 0 : 1);
      assert.ok(!bodies().join().includes("canary words"));
    });
  }

  for (const [without, inlined] of [
    [undefined, false],
    ["no_file_mentions", true],
  ] as const) {
    it(`${without ?? "all"}: an @file in the prompt is ${inlined ? "read into the request" : "plain text"}`, async (t) => {
      const { directory, canary, url, bodies } = await prepare(t);
      await runWithLocks({ directory, url, locks: core(without), prompt: `see @${canary} please` });
      assert.ok(bodies().join().includes(`@${canary}`));
      assert.equal(bodies().join().includes(canaryWords), inlined);
    });
  }

  for (const [without, endless] of [
    [undefined, false],
    ["one_turn", true],
  ] as const) {
    it(`${without ?? "all"}: a model that keeps asking for tools is asked ${endless ? "again and again" : "once"}`, async (t) => {
      const { directory, url, simulator } = await prepare(t);
      await runWithLocks({
        directory,
        url,
        locks: core(without),
        model: "claude-sim-tool:Bash",
        prompt: '{"command":"id"}',
        until: simulator.until(({ requests }) => requests >= 10),
      });
      assert.equal(simulator.counters().requests, endless ? 10 : 1);
    });
  }

  for (const [without, swallowed] of [
    [undefined, false],
    ["leading_newline", true],
  ] as const) {
    it(`${without ?? "all"}: /cost is ${swallowed ? "a free false success" : "asked of the model"}`, async (t) => {
      const { directory, url, bodies } = await prepare(t);
      const { stdout } = await runWithLocks({
        directory,
        url,
        locks: core(without),
        prompt: "/cost\nand now a question",
      });
      assert.equal(bodies().length, swallowed ? 0 : 1);
      assert.match(stdout, /"is_error":false/);
      if (!swallowed) {
        assert.match(bodies()[0] ?? "", /\/cost\\nand now a question/);
      }
    });
  }

  it("all of them and those in depth: no trap in any place it looks is sprung", async (t) => {
    const { directory, marks, url, bodies } = await prepare(t);
    const canary = await startCanary(t);
    for (const place of ["home", "config", "work", "."]) {
      plantTraps(join(directory, place), marks, canary.url);
    }
    const { stdout } = await runWithLocks({
      directory,
      url,
      locks: everyLock,
      prompt: `/trap @${join(directory, "work", "canary.txt")} !id #memory`,
    });
    assert.match(stdout, /"tools":\[\],"mcp_servers":\[\]/);
    assert.deepEqual(canary.heard, []);
    assert.deepEqual(readdirSync(marks), []);
    assert.equal(bodies().length, 1);
    assert.doesNotMatch(bodies()[0] ?? "", /canary words|yellow bird/);
  });
});
