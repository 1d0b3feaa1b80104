import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import type { FromShell } from "../../bridge/wire.ts";
import { openShellLines } from "./shell-lines.ts";

const opened = () => {
  const input = new PassThrough();
  const output = new PassThrough();
  const lines: FromShell[] = [];
  const log: string[] = [];
  let ends = 0;
  const { send } = openShellLines({
    input,
    output,
    onLine: (line) => lines.push(line),
    onEnd: () => {
      ends += 1;
    },
    log: (line) => log.push(line),
  });
  return { input, output, lines, log, send, ends: () => ends };
};

const call = (id: number, params: unknown = {}): FromShell => ({
  type: "call",
  id,
  method: "state.get",
  params,
});

describe("the shell's lines", () => {
  it("come out whole however the bytes were cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: "binary" }), { maxLength: 5 }),
        fc.array(fc.nat(400), { maxLength: 8 }),
        async (texts, cuts) => {
          const { input, lines } = opened();
          const sent = texts.map((text, id) => call(id, { text: text.toWellFormed() }));
          const bytes = Buffer.from(sent.map((line) => `${JSON.stringify(line)}\n`).join(""));
          let from = 0;
          for (const to of [...cuts.sort((one, other) => one - other), bytes.length]) {
            input.write(bytes.subarray(from, Math.max(from, to)));
            from = Math.max(from, to);
            await turn();
          }
          assert.deepEqual(lines, sent);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("that are none of the wire's are left out, and the log does not repeat them", async () => {
    const { input, lines, log } = opened();
    const none = [
      "s3cret",
      "[]",
      '"x"',
      '{"type":"call","id":1,"method":2,"params":{}}',
      '{"type":"call","id":-1,"method":"x","params":{}}',
      '{"type":"call","id":1.5,"method":"x","params":{}}',
      '{"type":"secret_reply","id":1}',
      '{"type":"secret_fault","id":1,"code":"other","message":"s3cret"}',
      '{"type":"quit"}',
    ];
    input.write(`${none.join("\n")}\n\n${JSON.stringify({ type: "woke" })}\n`);
    await turn();
    assert.deepEqual(lines, [{ type: "woke" }]);
    assert.equal(log.length, none.length);
    assert.doesNotMatch(log.join("\n"), /s3cret/);
  });

  it("may be as long as a message may be; longer ones are let go, up to their end", async () => {
    const { input, lines, log } = opened();
    const longest = call(1, { text: "\u0001".repeat(1_000_000) });
    input.write(`${JSON.stringify(longest)}\n`);
    const chunk = "x".repeat(1024 * 1024);
    for (let sent = 0; sent < 20; sent += 1) {
      input.write(chunk);
      await turn();
    }
    input.write(`\n${JSON.stringify(call(2))}\n`);
    await turn();
    assert.deepEqual(lines, [longest, call(2)]);
    assert.deepEqual(log, [
      "A line of the shell was left out: it is longer than 8388608 characters.",
    ]);
  });

  it("end once, when the input ends or nobody reads the output", async () => {
    const ended = opened();
    ended.input.end();
    await turn();
    assert.equal(ended.ends(), 1);
    const unread = opened();
    unread.output.destroy(new Error("EPIPE"));
    unread.input.end();
    await turn();
    await turn();
    assert.equal(unread.ends(), 1);
    unread.send({ type: "ready" });
  });

  it("go out one a line, whatever is in them", async () => {
    const { output, send } = opened();
    send({ type: "reply", id: 1, result: "one\ntwo\u2028three" });
    send({ type: "ready" });
    assert.equal(
      [output.read(), output.read()].join(""),
      '{"type":"reply","id":1,"result":"one\\ntwo\u2028three"}\n{"type":"ready"}\n',
    );
  });
});
