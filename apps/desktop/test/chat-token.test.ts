/** Chatting while the device's token ages, is replaced or revoked: the user sees nothing of it. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { type InsideRelay, startInside } from "../../../test/harness/inside.ts";
import { type Desk, faultOf, type SignIn, signIn, sitDown } from "./harness/chat-desk.ts";
import { begin } from "./harness/chat-places.ts";

const hourMs = 3_600_000;
const deviceId = "token-device-0001";

type Places = Readonly<{ relay: InsideRelay; device: SignIn; desk: Desk }>;

const setUp = async (t: TestContext): Promise<Places> => {
  const relay = await startInside();
  t.after(() => relay.remove());
  const device = signIn(t, relay.url, deviceId);
  return { relay, device, desk: sitDown(t, { relay: device.access }) };
};

describe("a token", { concurrency: 4 }, () => {
  it("that expired at the relay is replaced before an answer comes, unseen", async (t) => {
    const { relay, device, desk } = await setUp(t);
    const first = await device.session.token();
    assert.equal((await desk.ask("Before.")).reply.ending.kind, "complete");
    relay.advance(25 * hourMs);
    device.later(60_000);
    assert.equal((await desk.ask("After.")).reply.ending.kind, "complete");
    assert.deepEqual(device.rejected, [first]);
    assert.equal(relay.simulator.counters().requests, 2);
  });

  it("that was revoked is replaced in the same way, for models and usage too", async (t) => {
    const { relay, device, desk } = await setUp(t);
    for (const ask of [
      async () => assert.equal((await desk.ask("Hello?")).reply.ending.kind, "complete"),
      async () => assert.ok((await desk.call["models.list"]({})).length > 0),
      async () => assert.ok((await desk.call["usage.get"]({})).today.requests >= 0),
    ]) {
      const token = await device.session.token();
      device.later(60_000);
      relay.advance(2000);
      const path = `/admin/devices/${deviceId}/revoke-tokens`;
      assert.equal((await relay.admin(path, { method: "POST" })).status, 200);
      const before = device.rejected.length;
      await ask();
      const rejected = device.rejected.slice(before);
      assert.ok(rejected.length > 0 && rejected.every((one) => one === token));
    }
  });

  it("that is replaced while an answer streams breaks nothing, and the next answer has the new one", async (t) => {
    const { relay, device, desk } = await setUp(t);
    const first = await device.session.token();
    const { id, replyId } = await begin(desk, "claude-sim-paced:60:20");
    device.later(23.5 * hourMs);
    relay.advance(23.5 * hourMs);
    const second = await device.session.token();
    assert.notEqual(second, first);
    assert.equal(relay.simulator.counters().openStreams, 1, "the answer is still coming");
    await desk.event("reply_ended", (event) => event.replyId === replyId);
    const reply = await desk.reply(id);
    assert.equal(reply.ending.kind, "complete");
    assert.equal(reply.text, "tick ".repeat(60));
    relay.advance(61_000);
    assert.equal((await desk.ask("And now?")).reply.ending.kind, "complete");
    assert.deepEqual(device.rejected, []);
  });

  it("that the relay takes no more, whatever is done, ends in one try more and a word to the user", async (t) => {
    const { relay } = await setUp(t);
    let handedOut = 0;
    const stubborn = sitDown(t, {
      relay: {
        relayUrl: relay.url,
        token: async () => {
          handedOut += 1;
          return "not-a-token-of-this-relay";
        },
        reject: () => undefined,
      },
    });
    const { kind, message } = faultOf((await stubborn.ask("Hello?")).reply);
    assert.equal(kind, "signed_out");
    assert.doesNotMatch(message, /not-a-token/);
    assert.equal(handedOut, 2);
  });
});
