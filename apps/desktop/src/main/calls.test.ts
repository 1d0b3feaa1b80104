import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RelayError } from "@claude-relay/client/device";
import fc from "fast-check";
import { CallError } from "../bridge/call-error.ts";
import { type Method, methodParams } from "../bridge/protocol.ts";
import { createCalls } from "./calls.ts";
import type { Methods } from "./chat-port.ts";

const names = Object.keys(methodParams) as Method[];

const withMethods = (does: (name: string, params: unknown) => unknown) => {
  const log: string[] = [];
  const methods = Object.fromEntries(
    names.map((name) => [name, async (params: unknown) => does(name, params)]),
  ) as unknown as Methods<Method>;
  const answer = createCalls(methods, (line) => log.push(line));
  const ask = (method: string, params: unknown) => answer({ type: "call", id: 7, method, params });
  return { ask, log };
};

const fine: Readonly<Record<Method, unknown>> = {
  "state.get": {},
  "relay.connect": { address: "https://relay.example.com", enrollmentCode: "crc_x" },
  "relay.retry": {},
  "relay.disconnect": {},
  "models.list": {},
  "usage.get": {},
  "conversations.list": {},
  "conversations.get": { id: "0123-4567" },
  "conversations.create": { model: "claude-haiku-4-5" },
  "conversations.rename": { id: "0123-4567", title: "Hello" },
  "conversations.set_model": { id: "0123-4567", model: "claude-haiku-4-5" },
  "conversations.delete": { id: "0123-4567" },
  "chat.send": { conversationId: "0123-4567", text: "Hello" },
  "chat.stop": { conversationId: "0123-4567" },
  "chat.retry": { conversationId: "0123-4567" },
  "settings.set": { theme: "dark" },
  "link.open": { url: "https://example.com" },
};

describe("a call of the window", () => {
  it("reaches its method with its parameters, and has the result for its answer", async () => {
    const { ask } = withMethods((name, params) => ({ name, params }));
    for (const name of names) {
      const result = { name, params: fine[name] };
      assert.deepEqual(await ask(name, fine[name]), { type: "reply", id: 7, result });
    }
  });

  it("whose parameters are not the method's reaches nothing, and is told where it is wrong", async () => {
    const { ask } = withMethods(() => assert.fail("it was believed"));
    for (const name of names) {
      for (const params of [undefined, null, 1, "x", [], [fine[name]], { surplus: 1 }]) {
        const answer = await ask(name, params);
        assert.ok(answer.type === "fault", name);
        assert.equal(answer.fault.code, "invalid_params");
        assert.ok(answer.fault.message.startsWith(`${name}: `), answer.fault.message);
      }
    }
    for (const [name, params] of [
      ["conversations.get", { id: "../../etc/passwd" }],
      ["conversations.get", { id: "short" }],
      ["conversations.rename", { id: "0123-4567", title: "" }],
      ["settings.set", { theme: "pink" }],
      ["chat.send", { conversationId: "0123-4567", text: "x".repeat(1_000_001) }],
      ["relay.connect", { address: "x".repeat(2049) }],
      ["link.open", { url: ["https://example.com"] }],
    ] as const) {
      const answer = await ask(name, params);
      assert.ok(answer.type === "fault" && answer.fault.code === "invalid_params", name);
    }
  });

  it("of any shape is answered, and never with what it said", async () => {
    const { ask, log } = withMethods(() => null);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.jsonValue(), async (name, said) => {
        const answer = await ask(name, { planted: said });
        assert.equal(answer.type, "fault");
        assert.ok(JSON.stringify(answer).length < 300);
      }),
    );
    assert.deepEqual(log, []);
  });

  it("of a method that there is not says so, also where JavaScript has one of that name", async () => {
    const { ask } = withMethods(() => null);
    for (const name of ["shell.exec", "", "constructor", "__proto__", "toString", "STATE.GET"]) {
      const answer = await ask(name, {});
      assert.ok(answer.type === "fault" && answer.fault.code === "unknown_method", name);
    }
  });

  it("without a result is answered with null", async () => {
    const { ask } = withMethods(() => undefined);
    assert.deepEqual(await ask("relay.retry", {}), { type: "reply", id: 7, result: null });
  });

  it("that failed is told in the words that are meant for it", async () => {
    const busy = new CallError({ code: "busy", message: "An answer is on its way." });
    const away = new RelayError("The relay is away.", { type: "connection_error" });
    for (const [error, code] of [
      [busy, "busy"],
      [away, "failed"],
    ] as const) {
      const { ask, log } = withMethods(() => {
        throw error;
      });
      const { message } = error;
      assert.deepEqual(await ask("chat.stop", fine["chat.stop"]), {
        type: "fault",
        id: 7,
        fault: { code, message },
      });
      assert.deepEqual(log, []);
    }
  });

  it("that met a defect says where in the log, and what was said in neither place", async () => {
    const { ask, log } = withMethods(() => {
      throw new TypeError("s3cret");
    });
    const answer = await ask("chat.stop", fine["chat.stop"]);
    assert.ok(answer.type === "fault" && answer.fault.code === "failed");
    assert.match(answer.fault.message, /in the app itself/);
    assert.match(log.join("\n"), /^chat\.stop failed: TypeError at .*calls\.test/);
    assert.doesNotMatch(JSON.stringify([answer, log]), /s3cret/);
  });
});
