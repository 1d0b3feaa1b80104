/** The Python client: its own tests, and against the real relay with the simulator as Anthropic. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, beforeEach, describe, it } from "node:test";
import { promisify } from "node:util";
import { type Setting, startSetting } from "./harness/anthropic.ts";
import { mintAppKey } from "./harness/app-key.ts";
import { rowsWhen } from "./harness/ledger.ts";
import { pythonMissing } from "./harness/python.ts";

const folder = new URL("../clients/python", import.meta.url).pathname;
const run = promisify(execFile);

describe("the Python client", { skip: pythonMissing() ?? false }, () => {
  it("passes its own tests", async () => {
    const args = ["-B", "-W", "error::ResourceWarning", "test_claude_relay.py"];
    const { stderr } = await run("python3", args, { cwd: folder });
    assert.match(stderr, /Ran [5-9]\d tests[\s\S]*OK\n$/);
  });

  describe("with the real relay", () => {
    let setting: Setting;
    let key: string;
    before(async () => {
      const env = { COMPLETE_UPSTREAM: "api", MAX_INPUT_BYTES: "100000" };
      setting = await startSetting({ env });
      key = await mintAppKey(setting.relay);
    });
    after(() => setting.stop());
    beforeEach(() => setting.simulator.reset());

    /** Starts a program that has imported the client. */
    const start = (program: string, withKey = key) => {
      const head = "import json, claude_relay\nfrom claude_relay import *\n";
      return run("python3", ["-B", "-c", head + program], {
        cwd: folder,
        env: {
          PATH: process.env["PATH"],
          CLAUDE_RELAY_URL: setting.relay.url,
          CLAUDE_RELAY_KEY: withKey,
        },
      });
    };

    /** Runs one; gives what it printed, which must be JSON. */
    const python = async (program: string, withKey = key) =>
      JSON.parse((await start(program, withKey)).stdout);

    /** The class, status and type of what a call raises. */
    const failure = (call: string, withKey = key) =>
      python(
        `try:\n  ${call}\nexcept RelayError as e:\n  print(json.dumps([type(e).__name__, e.status, e.type]))`,
        withKey,
      );

    it("completes in text, JSON and by a schema", async () => {
      const program = `
schema = {"type": "object", "properties": {"color": {"type": "string"}}, "required": ["color"], "additionalProperties": False}
print(json.dumps([
  complete("Hi 🦊", system="s"),
  complete("3 primary colors", system="Output only JSON.", output_format="json"),
  complete("p", json_schema=schema),
]))`;
      const [text, plain, fitting] = await python(program);
      assert.match(text, /You said: Hi 🦊$/);
      assert.match(plain, /You said: 3 primary colors$/);
      assert.equal(typeof fitting.color, "string");
    });

    it("streams, with the usage that the ledger has", async () => {
      const program = `
answer = stream("Hello, 🌍!", model="haiku")
pieces = list(answer)
final = answer.final()
print(json.dumps([pieces, final.text, final.request_id, final.usage.input_tokens, final.usage.output_tokens]))`;
      const [pieces, text, id, input, output] = await python(program);
      assert.ok(pieces.length > 1);
      assert.equal(pieces.join(""), text);
      assert.match(text, /You said: Hello, 🌍!$/);
      const rows = await rowsWhen(setting.relay, (all) => all.some((row) => row.id === id));
      const row = rows.find((one) => one.id === id);
      assert.deepEqual([row?.input_tokens, row?.output_tokens], [input, output]);
    });

    it("leaves a stream in the middle, which frees upstream", async () => {
      const program = `
import sys
with stream("p", model="claude-sim-stall:5") as pieces:
  print(json.dumps(next(pieces)), flush=True)
sys.stdin.read()`;
      const running = start(program);
      await setting.simulator.until(({ requests, open }) => requests === 1 && open === 0);
      // Had the program ended, the system would have closed its connection too: it waits for this.
      assert.equal(running.child.exitCode, null);
      running.child.stdin?.end();
      assert.equal(typeof JSON.parse((await running).stdout), "string");
    });

    it("gets past an upstream that turns it away at first, and names what it cannot get past", async () => {
      const program = `print(json.dumps(complete("p", model="claude-sim-first-n:1:529")))`;
      assert.match(await python(program), /You said: p$/);
      assert.equal(setting.simulator.counters().requests, 2);
      const cut = `list(stream("p", model="claude-sim-end-mid-stream"))`;
      assert.equal((await failure(cut))[1], null);
    });

    it("lists models, and is told no in the relay's words", async () => {
      const ids = await python("print(json.dumps([model.id for model in models()]))");
      assert.ok(ids.some((id: string) => id.startsWith("claude-opus-")));
      const invalid = ["InvalidRequestError", 400, "invalid_request_error"];
      assert.deepEqual(await failure(`fetch_page("http://127.0.0.1/")`), invalid);
      assert.deepEqual(await failure(`complete(" ")`), invalid);
      const tooLarge = ["RequestTooLargeError", 413, "request_too_large"];
      assert.deepEqual(await failure(`complete("x" * 100_001)`), tooLarge);
      assert.deepEqual(await failure(`complete("x" * (40 << 20))`), tooLarge);
      const stranger = ["AuthenticationError", 401, "authentication_error"];
      assert.deepEqual(await failure(`complete("p")`, "crk_made_up"), stranger);
    });
  });
});
