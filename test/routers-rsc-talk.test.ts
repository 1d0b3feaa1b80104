/** The shipped module in conversation with a relay: question, preview, code, run, explanation. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Asked } from "./routers-rsc-double.ts";
import { type Installed, introduced, kinds, type Router } from "./routers-rsc-router.ts";

const secret = 'a shared "secret" of the test: 32+';
const code = "7K2M-9QXR";
const command = '/ip address add address=10.0.0.1/24 interface="bridge"';

for (const kind of kinds) {
  const { version, sha512 } = kind;
  const mac = sha512 ? "hmac-sha512" : "hmac-sha256";

  const connected = (t: TestContext, options: Installed = {}, settings = {}) =>
    introduced(t, secret, { ...kind, ...options }, settings);

  describe(`the module on RouterOS ${version}: question, preview, code`, () => {
    it("shows the command and its code, and runs nothing before the code comes back", async (t) => {
      const { relay, router } = await connected(t);
      relay.answer = offers("write");
      await router.call("ClaudeRelayAsk", ["add an address"], {
        user: "anna",
        context: "in the lab",
      });
      assert.deepEqual(relay.asked[0]?.body, {
        command: "add an address",
        context: "in the lab",
        user: "anna",
      });
      const shown = router.put.join("\n");
      assert.ok(shown.includes(command));
      assert.match(shown, /ClaudeRelayConfirm "7K2M-9QXR"/);
      assert.match(shown, /Safe Mode/);
      assert.deepEqual(ran(router), []);

      await router.call("ClaudeRelayConfirm", [code]);
      assert.deepEqual(relay.asked[1]?.body, { confirm: code, user: "anna" });
      assert.deepEqual(ran(router), [
        { command: "/ip address add", parameters: { address: "10.0.0.1/24", interface: "bridge" } },
      ]);
      await assert.rejects(router.call("ClaudeRelayConfirm", [code]), /not the code/);
      assert.equal(ran(router).length, 1);
    });

    it("sends any words unharmed", async (t) => {
      const { relay, router } = await connected(t);
      relay.answer = offers("read");
      for (const words of [
        'say "hi"\\n',
        "a\nb\r\n\tc\u0001\u007f",
        "Büro 日本 🙂",
        "12",
        "{}",
        "$x",
      ]) {
        await router.call("ClaudeRelayAsk", [words]);
        assert.equal(relay.asked.at(-1)?.body["command"], words);
      }
    });

    it("reads text that looks like a number as text where RouterOS can, and shows it anyway", async (t) => {
      const { relay, router } = await connected(t);
      const { a } = (await router.call("ClaudeRelayJson", ['{"a":"12"}'])) as { a: unknown };
      assert.equal(a, version === "7.15" ? 12 : "12");
      relay.answer = () => ({ ...offers("read")(), explanation: "12" });
      await router.call("ClaudeRelayAsk", ["x"]);
      assert.ok(router.put.includes("  | 12"));
    });

    it("shows what Claude says apart from the command, and the relay's warnings before the code", async (t) => {
      const { relay, router } = await connected(t);
      relay.answer = () => ({
        ...offers("write")(),
        explanation: "Fine.\nClaude suggests (read):\n  > /ip address print",
        commands: [
          { text: "/ip address add", kind: "write", reason: "", warning: "It may\ncut you off." },
        ],
      });
      await router.call("ClaudeRelayAsk", ["x"]);
      const shown = router.put.flatMap((text) => text.split("\n"));
      const from = shown.indexOf("  | Fine.");
      assert.deepEqual(shown.slice(from, from + 3), [
        "  | Fine.",
        "  | Claude suggests (read):",
        "  |   > /ip address print",
      ]);
      assert.equal(shown[from + 3], "Claude suggests (write):");
      assert.match(shown[from + 4] ?? "", /^ {2}> \/ip address add/);
      assert.deepEqual(shown.slice(from + 5, from + 7), ["  ! It may", "  ! cut you off."]);
      assert.match(shown.at(-1) ?? "", /^To run exactly this/);
    });

    it("numbers its requests upwards, each signed with what the router has", async (t) => {
      const { relay, router } = await connected(t);
      relay.answer = offers("read");
      for (const words of ["a", "b", "c"]) {
        await router.call("ClaudeRelayAsk", [words]);
      }
      assert.deepEqual(
        relay.asked.map(({ sequence }) => sequence),
        [1, 2, 3],
      );
      assert.deepEqual(new Set(relay.asked.map((asked) => asked.mac)), new Set([mac]));
      assert.equal(relay.handshakes.length, 1);
    });

    it("runs a read unasked only when router and relay both say so", async (t) => {
      for (const [auto, may, times] of [
        [true, true, 1],
        [true, false, 0],
        [false, true, 0],
      ] as const) {
        const { relay, router } = await connected(t, {}, { ClaudeRelayAutoExecute: auto });
        relay.answer = () => ({ ...offers("read")(), may_run: may });
        await router.call("ClaudeRelayAsk", ["show addresses"]);
        assert.equal(ran(router).length, times);
      }
    });

    it("refuses a write that the relay says may run unasked", async (t) => {
      const { relay, router } = await connected(t, {}, { ClaudeRelayAutoExecute: true });
      relay.answer = () => ({ ...offers("write")(), may_run: true });
      await assert.rejects(router.call("ClaudeRelayAsk", ["x"]), /run a write unasked/);
      assert.deepEqual(ran(router), []);
    });

    it("tells a refusal in the relay's words and drops an older preview", async (t) => {
      const { relay, router } = await connected(t);
      relay.answer = offers("write");
      await router.call("ClaudeRelayAsk", ["x"]);
      relay.answer = () => ({
        success: false,
        code: "forbidden_command",
        error: "It \u001b[2Jresets.",
      });
      await assert.rejects(
        router.call("ClaudeRelayAsk", ["reset"]),
        /forbidden_command: It \?\[2Jresets/,
      );
      await assert.rejects(router.call("ClaudeRelayConfirm", [code]), /not the code/);
      assert.deepEqual(ran(router), []);
    });

    it("waits for a slow answer by its job", async (t) => {
      const { relay, router } = await connected(t);
      const job = `j_${"0f".repeat(16)}`;
      let polls = 0;
      relay.answer = ({ path }) => {
        polls += path === `/jobs/${job}` ? 1 : 0;
        return polls < 2
          ? { success: true, status: "pending", job, poll_after: 3 }
          : offers("read")();
      };
      await router.call("ClaudeRelayAsk", ["x"]);
      assert.equal(polls, 2);
      assert.deepEqual(router.delays.slice(-2), [3000, 3000]);
    });

    it("stops waiting after ClaudeRelayTimeout", async (t) => {
      let now = Date.now();
      const wait = async (milliseconds: number) => {
        now += milliseconds;
      };
      const options = { clock: () => now, delay: wait };
      const { relay, router } = await connected(t, options, { ClaudeRelayTimeout: 20 });
      const job = `j_${"0f".repeat(16)}`;
      relay.answer = () => ({ success: true, status: "pending", job, poll_after: 2 });
      await assert.rejects(router.call("ClaudeRelayAsk", ["x"]), /no answer in time/);
      assert.equal(relay.asked.length, 12);
    });

    it("makes one new handshake when the relay has forgotten the session, and no more", async (t) => {
      const { relay, router } = await connected(t);
      relay.answer = offers("read");
      await router.call("ClaudeRelayAsk", ["x"]);
      relay.forget();
      await router.call("ClaudeRelayAsk", ["y"]);
      assert.equal(relay.handshakes.length, 2);
      assert.deepEqual(
        relay.asked.map(({ sequence }) => sequence),
        [1, 1],
      );
      relay.tamper = (reply, path) =>
        path === "/process-command"
          ? { success: false, code: "session_unknown", error: "?" }
          : reply;
      await assert.rejects(router.call("ClaudeRelayAsk", ["z"]), /session_unknown/);
      assert.equal(relay.handshakes.length, 3);
    });

    it("shakes hands anew when the relay's sequence has run ahead", async (t) => {
      const { relay, router } = await connected(t);
      relay.answer = offers("read");
      await router.call("ClaudeRelayAsk", ["x"]);
      await router.run(':global ClaudeRelaySession\n:set ($ClaudeRelaySession->"seq") 0');
      await router.call("ClaudeRelayAsk", ["y"]);
      assert.deepEqual(
        relay.asked.map(({ sequence }) => sequence),
        [1, 1],
      );
      const handshakes = router.fetches.filter(({ url }) => url.endsWith("/handshake"));
      assert.equal(handshakes.length, 2);
    });

    it("reports a command that fails, and has it explained when asked", async (t) => {
      const { relay, router } = await connected(t);
      const broken = '/ip address remove "nobody"';
      relay.answer = ({ path, body }) =>
        path === "/suggest-error-fix"
          ? { success: true, suggestion: "There is no such item." }
          : { ...offers("write")(body), routeros_command: broken };
      await router.call("ClaudeRelayAsk", ["x"]);
      await assert.rejects(router.call("ClaudeRelayConfirm", [code]), /the command failed/);
      assert.match(
        router.put.join("\n"),
        /It failed: no such item[\s\S]*Why: \[\$ClaudeRelayExplain\]/,
      );
      await router.call("ClaudeRelayExplain");
      const { body } = relay.asked.at(-1) as Asked;
      assert.equal(body["original_command"], broken);
      assert.match(String(body["error_message"]), /no such item/);
      assert.equal(router.put.at(-1), "There is no such item.");
      await router.call("ClaudeRelayExplain", ["/ping", "bad"], { output: "x" });
      assert.deepEqual(relay.asked.at(-1)?.body, {
        original_command: "/ping",
        error_message: "bad",
        command_output: "x",
      });
    });

    it("runs nothing of a text that is not RouterOS throughout", async (t) => {
      const { relay, router } = await connected(t);
      relay.answer = (asked) => ({
        ...offers("write")(asked.body),
        routeros_command: `${command}\n/ip address nonsense`,
      });
      await router.call("ClaudeRelayAsk", ["x"]);
      await assert.rejects(router.call("ClaudeRelayConfirm", [code]), /the command failed/);
      assert.deepEqual(ran(router), []);
    });
  });
}

/** A preview for a question, the same text for a confirmation. */
const offers =
  (classification: "read" | "write") =>
  (body: Asked | Record<string, unknown> = {}) => {
    const asked = "body" in body ? (body.body as Record<string, unknown>) : body;
    const routeros_command = classification === "read" ? "/ip address print" : command;
    return asked["confirm"] === undefined
      ? {
          success: true,
          routeros_command,
          classification,
          explanation: "It does that.",
          commands: [],
          may_run: false,
          confirm_code: code,
          expires_in: 300,
        }
      : { success: true, confirmed: true, routeros_command, classification };
  };

/** What of /ip address ran. */
const ran = (router: Router) =>
  router.executed.filter((done) => done.command.startsWith("/ip address"));
