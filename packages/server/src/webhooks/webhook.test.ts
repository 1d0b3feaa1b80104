import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { describe, it } from "node:test";
import { epochMs, type RelayEvent } from "@claude-relay/contract";
import { type Delivery, Webhook, type WebhookLimits, type WebhookPost } from "./webhook.ts";

const secret = "s".repeat(32);

const event = (id: string): RelayEvent => ({
  id,
  type: "budget.warning",
  created_at: "2026-11-21T12:00:00.000Z",
  actor: "relay",
  subject: "bud_1",
  outcome: "ok",
  detail: { threshold: 50 },
});

const setUp = (post: WebhookPost, limits: Partial<WebhookLimits> = {}) => {
  const time = { ms: 1_700_000_000_999 };
  const waits: number[] = [];
  const logs: string[] = [];
  const over: Delivery[] = [];
  const watching: (() => void)[] = [];
  const keep = (fields: object, message: string): void =>
    void logs.push(JSON.stringify({ ...fields, message }));
  const webhook = new Webhook({
    secret,
    post,
    clock: { now: () => epochMs(time.ms), monotonicMs: () => 0 },
    log: { debug: keep, info: keep, warn: keep, error: keep, isLevelEnabled: () => true },
    onOver: (delivery) => {
      over.push(delivery);
      for (const look of watching) {
        look();
      }
    },
    random: () => 0.5,
    wait: async (ms) => {
      waits.push(ms);
      time.ms += ms;
    },
    limits,
  });
  return {
    webhook,
    waits,
    logs,
    over,
    /** Resolves when so many calls are over. */
    ended: (count: number) =>
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (over.length >= count) {
            resolve();
          }
        };
        watching.push(look);
        look();
      }),
  };
};

describe("a webhook", () => {
  it("signs timestamp and body, anew at each try", async () => {
    const calls: [Readonly<Record<string, string>>, string][] = [];
    const { webhook, ended } = setUp(async (headers, body) => {
      calls.push([headers, body]);
      return calls.length === 1 ? 500 : 204;
    });
    webhook.send(event("evt_1"));
    await ended(1);
    assert.equal(calls.length, 2);
    for (const [headers, body] of calls) {
      const mac = createHmac("sha256", secret).update(`${headers["x-relay-timestamp"]}.${body}`);
      assert.equal(headers["x-relay-signature"], `v1=${mac.digest("hex")}`);
      assert.equal(headers["x-relay-event-id"], "evt_1");
      assert.equal(headers["content-type"], "application/json");
      assert.deepEqual(JSON.parse(body), event("evt_1"));
    }
    assert.deepEqual(
      calls.map(([headers]) => headers["x-relay-timestamp"]),
      ["1700000000", "1700000001"],
    );
  });

  it("waits twice as long after each failed try, up to a most, and gives up after the last", async () => {
    const answers = [500, 429, 404, 302, 503, 500, 500];
    const { webhook, waits, over, ended, logs } = setUp(
      async () => answers.shift() ?? assert.fail("too many tries"),
      { tries: 7, firstDelayMs: 1000, longestDelayMs: 8000 },
    );
    webhook.send(event("evt_1"));
    await ended(1);
    // random() is 0.5: three quarters of the longest.
    assert.deepEqual(waits, [750, 1500, 3000, 6000, 6000, 6000]);
    assert.deepEqual(over, [{ event: event("evt_1"), delivered: false, tries: 7 }]);
    assert.equal(logs.length, 7);
    assert.match(logs[3]!, /answered 302/);
  });

  it("tries again after a connection that failed, and sends the next only then, in order", async () => {
    const seen: string[] = [];
    const { webhook, over, ended } = setUp(async (_headers, body) => {
      const { id } = JSON.parse(body);
      seen.push(id);
      if (seen.length === 1) {
        throw new Error("connect ECONNREFUSED");
      }
      return 200;
    });
    webhook.send(event("evt_1"));
    webhook.send(event("evt_2"));
    await ended(2);
    assert.deepEqual(seen, ["evt_1", "evt_1", "evt_2"]);
    assert.deepEqual(
      over.map(({ delivered, tries }) => [delivered, tries]),
      [
        [true, 2],
        [true, 1],
      ],
    );
  });

  it("cuts off a receiver that does not answer", async () => {
    const { webhook, over, logs, ended } = setUp(
      async (_headers, _body, signal) => {
        await once(signal, "abort");
        throw new Error("aborted");
      },
      { tries: 1, tryMs: 5 },
    );
    // What the test waits for is a timer that keeps no process alive.
    const alive = setInterval(() => {}, 1000);
    webhook.send(event("evt_1"));
    await ended(1);
    clearInterval(alive);
    assert.equal(over[0]?.delivered, false);
    assert.match(logs[0]!, /no answer in time/);
  });

  it("keeps no more events waiting than it may: the oldest is given up, and said to be", async () => {
    const held = Promise.withResolvers<number>();
    const sent: string[] = [];
    const { webhook, over, ended } = setUp(
      (_headers, body) => {
        sent.push(JSON.parse(body).id);
        return held.promise;
      },
      { queued: 2 },
    );
    for (const id of ["evt_1", "evt_2", "evt_3", "evt_4"]) {
      webhook.send(event(id));
    }
    assert.deepEqual(
      over.map((delivery) => [delivery.event.id, delivery.tries]),
      [["evt_2", 0]],
    );
    held.resolve(200);
    await ended(4);
    assert.deepEqual(sent, ["evt_1", "evt_3", "evt_4"]);
  });

  it("ends when it is closed: the try under way may finish, nothing follows it", async () => {
    const held = Promise.withResolvers<number>();
    const sent: string[] = [];
    const { webhook, over } = setUp((_headers, body) => {
      sent.push(JSON.parse(body).id);
      return held.promise;
    });
    webhook.send(event("evt_1"));
    webhook.send(event("evt_2"));
    const closed = webhook.close();
    held.resolve(200);
    await closed;
    webhook.send(event("evt_3"));
    assert.deepEqual(sent, ["evt_1"]);
    assert.deepEqual(
      over.map((delivery) => delivery.event.id),
      ["evt_1"],
    );
  });

  it("is not held up in closing by a receiver that does not answer", async () => {
    const { webhook, over } = setUp(
      async (_headers, _body, signal) => {
        await once(signal, "abort");
        throw new Error("aborted");
      },
      { closeMs: 5 },
    );
    const alive = setInterval(() => {}, 1000);
    webhook.send(event("evt_1"));
    await webhook.close();
    clearInterval(alive);
    assert.deepEqual(over, [], "neither delivered nor given up: the next start sends it");
  });

  it("says in no log where it sends to or what", async () => {
    const { webhook, logs, ended } = setUp(async () => 500, { tries: 2 });
    webhook.send(event("evt_1"));
    await ended(1);
    assert.doesNotMatch(logs.join(), /ssss|bud_1|signature/);
  });
});
