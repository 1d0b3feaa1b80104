/** A bridge over lines: replies and events in their order. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CallError } from "./call-error.ts";
import { lineBridge } from "./line-bridge.ts";

const over = (send: () => Promise<void> = async () => undefined) => {
  const sent: unknown[][] = [];
  const { bridge, take } = lineBridge({
    firstId: 7,
    send: (...call) => {
      sent.push(call);
      return send();
    },
  });
  return { bridge, take, sent };
};

const failed = (message: string) => (error: unknown) =>
  error instanceof CallError && error.code === "failed" && error.message.includes(message);

describe("a bridge over lines", () => {
  it("gives each call its own answer, in whatever order they come", async () => {
    const { bridge, take, sent } = over();
    const usage = bridge.call("usage.get", {});
    const retry = bridge.call("relay.retry", {});
    assert.deepEqual(sent, [
      [7, "usage.get", {}],
      [8, "relay.retry", {}],
    ]);
    take({ type: "fault", id: 8, fault: { code: "busy", message: "Wait." } });
    take({ type: "reply", id: 7, result: "used" });
    assert.equal(await usage, "used");
    await assert.rejects(retry, (error) => error instanceof CallError && error.code === "busy");
  });

  it("does not take an answer for a page before for one of its own", async () => {
    const { bridge, take } = over();
    const usage = bridge.call("usage.get", {});
    take({ type: "reply", id: 6, result: "another's" });
    take({ type: "reply", id: 7, result: "mine" });
    take({ type: "reply", id: 7, result: "again" });
    assert.equal(await usage, "mine");
  });

  it("tells listeners of each event until they have enough", () => {
    const { bridge, take } = over();
    const heard: string[] = [];
    const end = bridge.on(({ type }) => heard.push(type));
    take({ type: "event", event: { type: "usage_changed" } });
    end();
    take({ type: "event", event: { type: "models_changed" } });
    assert.deepEqual(heard, ["usage_changed"]);
  });

  it("fails what waits when the main process ends, and what cannot be sent", async () => {
    const { bridge, take } = over();
    const waiting = bridge.call("usage.get", {});
    take({ type: "ended" });
    await assert.rejects(waiting, failed("not running"));
    const refused = over(() => Promise.reject("not allowed by ACL"));
    await assert.rejects(refused.bridge.call("usage.get", {}), failed("not allowed by ACL"));
  });
});
