/** The shipped module against a relay that lies and a line that is tampered with: nothing may run. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { Asked } from "./routers-rsc-double.ts";
import { introduced, kinds, type Router } from "./routers-rsc-router.ts";

type Json = Record<string, unknown>;

const secret = "a-shared-secret-of-the-test-32ch";
const code = "7K2M-9QXR";
const command = "/ip address add address=10.0.0.1/24 interface=bridge";
const other = "/ip address add address=10.6.6.6/24 interface=bridge";
const preview: Json = {
  success: true,
  routeros_command: command,
  classification: "write",
  explanation: "It does that.",
  may_run: false,
  confirm_code: code,
};
const confirmed: Json = {
  success: true,
  confirmed: true,
  routeros_command: command,
  classification: "write",
};
const honest = ({ body }: Asked): Json => (body["confirm"] === undefined ? preview : confirmed);

for (const kind of kinds) {
  describe(`the module on RouterOS ${kind.version}, the line tampered with`, () => {
    const cases: readonly [string, (reply: Json, earlier: Json[]) => Json | string][] = [
      ["another command in the payload", (reply) => swapped(reply, command, other)],
      ["a read where a write was", (reply) => swapped(reply, '"write"', '"read"')],
      ["one digit of the mac changed", (reply) => ({ ...reply, mac: flipped(reply["mac"]) })],
      ["the mac cut short", (reply) => ({ ...reply, mac: String(reply["mac"]).slice(0, 62) })],
      ["the mac empty", (reply) => ({ ...reply, mac: "" })],
      ["the mac a number", (reply) => ({ ...reply, mac: 12 })],
      ["no mac", ({ payload }) => ({ success: true, payload })],
      ["no payload, the answer in the open", () => confirmed],
      ["no payload, but the mac", ({ mac }) => ({ ...confirmed, mac })],
      ["the reply before this one", (_reply, earlier) => earlier.at(-1) ?? {}],
      ["a payload that is no text", (reply) => ({ ...reply, payload: confirmed })],
      ["no JSON", () => "<html>Login to the hotel WiFi</html>"],
      ["a list", () => "[]"],
      ["nothing", () => ""],
      ["success said to be false, unsealed", () => ({ success: false, code: "x", error: "y" })],
    ];
    for (const [what, change] of cases) {
      it(`runs nothing: ${what}`, async (t) => {
        const { relay, router } = await connected(t);
        const earlier: Json[] = [];
        relay.tamper = (reply, path) => {
          const sent = path === "/process-command" && "payload" in reply && relay.asked.length > 1;
          const changed = sent ? change(reply, earlier) : reply;
          earlier.push(reply);
          return changed;
        };
        await router.call("ClaudeRelayAsk", ["x"]);
        await assert.rejects(router.call("ClaudeRelayConfirm", [code]), /claude-relay: /);
        assert.equal(relay.asked.length, 2);
        assert.deepEqual(ran(router), []);
      });
    }

    it("runs what the untouched line brings, so that the cases above prove something", async (t) => {
      const { router } = await connected(t);
      await router.call("ClaudeRelayAsk", ["x"]);
      await router.call("ClaudeRelayConfirm", [code]);
      assert.equal(ran(router).length, 1);
    });

    it("does not trust a relay that cannot prove the secret", async (t) => {
      const handshakes: readonly ((reply: Json) => Json)[] = [
        (reply) => ({ ...reply, server_proof: flipped(reply["server_proof"]) }),
        ({ server_proof: _, ...reply }) => reply,
        (reply) => ({ ...reply, server_proof: "" }),
        (reply) => ({ ...reply, server_nonce: `n_${"0".repeat(32)}` }),
        (reply) => ({ ...reply, mac: "none" }),
        (reply) => ({
          ...reply,
          mac: reply["mac"] === "hmac-sha256" ? "hmac-sha512" : "hmac-sha256",
        }),
        (reply) => ({ ...reply, session: 'rs_";x' }),
        ({ session: _, ...reply }) => reply,
        (reply) => ({ ...reply, success: "true" }),
        (reply) => ({ ...reply, success: 1 }),
      ];
      for (const change of handshakes) {
        const { relay, router } = await connected(t);
        relay.tamper = (reply, path) => (path === "/handshake" ? change(reply) : reply);
        await assert.rejects(router.call("ClaudeRelayAsk", ["x"]), /claude-relay: /);
        assert.deepEqual(relay.asked, []);
      }
    });

    it("believes no reply sealed with another session id, put there on the way", async (t) => {
      const { relay, router } = await connected(t);
      relay.tamper = (reply, path) =>
        path === "/handshake" ? { ...reply, session: `rs_${"0".repeat(32)}` } : reply;
      await assert.rejects(router.call("ClaudeRelayAsk", ["x"]), /claude-relay: /);
      assert.deepEqual(ran(router), []);
    });

    it("says what is wrong when the secrets differ, without saying either", async (t) => {
      const { relay, router } = await connected(t);
      relay.secret = "another-secret-than-the-router's";
      const failed: Error = await router.call("ClaudeRelayInitCloud").then(
        () => assert.fail("accepted"),
        (error: Error) => error,
      );
      assert.match(failed.message, /signature_invalid/);
      const said = JSON.stringify([failed.message, router.put, router.log, router.fetches]);
      assert.ok(!said.includes(secret) && !said.includes(relay.secret));
    });

    it("does not follow a redirect, even to a relay that knows the secret", async (t) => {
      const { relay, router } = await connected(t);
      const server = createServer((request, response) => {
        response.writeHead(307, { location: `${relay.url}${request.url}` }).end("{}");
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      t.after(() => server.close());
      const { port } = server.address() as AddressInfo;
      await router.run(`:global ClaudeRelayURL "http://127.0.0.1:${port}"`);
      await assert.rejects(router.call("ClaudeRelayInitCloud"), /claude-relay: /);
      assert.deepEqual(relay.handshakes, []);
    });
  });

  describe(`the module on RouterOS ${kind.version}, the relay itself out of its mind`, () => {
    const previews: readonly [string, Json][] = [
      ["no command", { ...preview, routeros_command: undefined }],
      ["an empty command", { ...preview, routeros_command: "" }],
      ["a number as command", { ...preview, routeros_command: 12 }],
      ["a list of commands", { ...preview, routeros_command: [command] }],
      ["no classification", { ...preview, classification: undefined }],
      ["a forbidden one offered", { ...preview, classification: "forbidden" }],
      [
        "a carriage return that hides what stands before it",
        { ...preview, routeros_command: `${other}\r${command}` },
      ],
      ["an escape sequence", { ...preview, routeros_command: `${command}\u001b[8m` }],
      [
        "a letter that only looks like one",
        { ...preview, routeros_command: "/ip \u0430ddress print" },
      ],
      ["text written backwards", { ...preview, routeros_command: `${command} \u202e#` }],
      ["no code", { ...preview, confirm_code: undefined }],
      ["a code that is none", { ...preview, confirm_code: '"; /system reset' }],
      ["a code in lower case", { ...preview, confirm_code: "abcd-efgh" }],
      ["success missing", { ...preview, success: undefined }],
      ["success in words", { ...preview, success: "true" }],
      ["a job that is none", { success: true, status: "pending", job: "../health" }],
    ];
    for (const [what, answer] of previews) {
      it(`takes no preview: ${what}`, async (t) => {
        const { relay, router } = await connected(t, { ClaudeRelayAutoExecute: true });
        relay.answer = () => answer;
        await assert.rejects(router.call("ClaudeRelayAsk", ["x"]), /claude-relay: /);
        await assert.rejects(router.call("ClaudeRelayConfirm", [code]), /not the code/);
        assert.deepEqual(ran(router), []);
      });
    }

    const confirmations: readonly [string, Json][] = [
      ["another text", { ...confirmed, routeros_command: other }],
      ["the text and more", { ...confirmed, routeros_command: `${command}\n${other}` }],
      ["the text with a blank more", { ...confirmed, routeros_command: `${command} ` }],
      ["another classification", { ...confirmed, classification: "read" }],
      ["confirmed missing", { ...confirmed, confirmed: undefined }],
      ["confirmed false", { ...confirmed, confirmed: false }],
      ["confirmed in words", { ...confirmed, confirmed: "yes" }],
      ["no text", { ...confirmed, routeros_command: undefined }],
      ["the code refused", { success: false, code: "confirm_invalid", error: "Ask again." }],
    ];
    for (const [what, answer] of confirmations) {
      it(`runs nothing on a confirmation with ${what}`, async (t) => {
        const { relay, router } = await connected(t);
        relay.answer = ({ body }) => (body["confirm"] === undefined ? preview : answer);
        await router.call("ClaudeRelayAsk", ["x"]);
        await assert.rejects(router.call("ClaudeRelayConfirm", [code]), /claude-relay: /);
        assert.deepEqual(ran(router), []);
      });
    }

    it("runs nothing unasked because a reply says that it may, without the router's own yes", async (t) => {
      for (const may_run of [true, "true", 1]) {
        const { relay, router } = await connected(t);
        relay.answer = () => ({ ...preview, classification: "read", may_run });
        await router.call("ClaudeRelayAsk", ["x"]);
        assert.deepEqual(ran(router), []);
      }
    });

    it("asks the relay about no code but the one it shows", async (t) => {
      const { relay, router } = await connected(t);
      await router.call("ClaudeRelayAsk", ["x"]);
      for (const wrong of ["", "AAAA-AAAA", "7k2m-9qxr", `${code} `, undefined]) {
        await assert.rejects(router.call("ClaudeRelayConfirm", [wrong]), /not the code/);
      }
      assert.equal(relay.asked.length, 1);
    });
  });

  const connected = async (t: TestContext, settings = {}) => {
    const both = await introduced(t, secret, kind, settings);
    both.relay.answer = honest;
    return both;
  };
}

const swapped = (reply: Json, from: string, to: string): Json => {
  const escaped = (text: string) => JSON.stringify(text).slice(1, -1);
  const payload = String(reply["payload"]);
  const changed = payload.includes(from)
    ? payload.replace(from, to)
    : payload.replace(escaped(from), escaped(to));
  assert.notEqual(changed, payload);
  return { ...reply, payload: changed };
};

const flipped = (hex: unknown): string =>
  String(hex).replace(/^./, (digit) => (digit === "0" ? "1" : "0"));

const ran = (router: Router) =>
  router.executed.filter((done) => done.command.startsWith("/ip address"));
