import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { RelayEvent } from "@claude-relay/contract";
import Fastify from "fastify";
import { EventBus } from "../../pipeline/events.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { AdminAccess } from "./access.ts";
import { adminEventsDoor } from "./events-door.ts";

const event = (id: string, detail: Record<string, unknown> | null = null): RelayEvent => ({
  id,
  type: "device.revoke",
  created_at: "2026-11-21T12:00:00.000Z",
  actor: "admin",
  subject: "mac-1",
  outcome: "ok",
  detail,
});

const textOf = (one: RelayEvent): string =>
  `id: ${one.id}\nevent: device.revoke\ndata: ${JSON.stringify(one)}\n\n`;

const hello = "retry: 3000\n\n";

const setUp = async (t: TestContext, heartbeatMs = 60_000) => {
  const events = new EventBus();
  const draining = new AbortController();
  const access: AdminAccess = {
    demandAdmin: async (request) => {
      if (request.headers.authorization !== "Bearer admin") {
        throw new Refusal("forbidden", "no");
      }
    },
    viewer: async () => ({ kind: "admin" }),
    ip: () => "127.0.0.1",
    noteError: () => {},
  };
  const app = Fastify();
  adminEventsDoor(app, { access, events, heartbeatMs, draining: draining.signal });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const closing: Promise<unknown>[] = [];
  app.server.on("connection", (socket: Socket) => {
    closing.push(once(socket, "close"));
  });
  t.after(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  const follow = (headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}/admin/events`, {
      headers: { authorization: "Bearer admin", ...headers },
    });
  return { events, draining, port, follow, closing };
};

/** Reads a body until so much has come; gives all of it. */
const readAtLeast = async (
  reader: ReadableStreamDefaultReader<Uint8Array>,
  length: number,
): Promise<string> => {
  let text = "";
  while (text.length < length) {
    const { done, value } = await reader.read();
    assert.ok(!done, `the stream ended after: ${text}`);
    text += Buffer.from(value).toString();
  }
  return text;
};

const readerOf = (response: Response) => response.body!.getReader();

describe("GET /admin/events", () => {
  it("tells each reader of each event as server-sent events", async (t) => {
    const { events, follow } = await setUp(t);
    const responses = await Promise.all([follow(), follow()]);
    for (const { status, headers } of responses) {
      assert.equal(status, 200);
      assert.match(headers.get("content-type") ?? "", /^text\/event-stream/);
      assert.equal(headers.get("cache-control"), "no-store");
    }
    const readers = responses.map(readerOf);
    await Promise.all(readers.map((reader) => readAtLeast(reader, hello.length)));
    const broken = event("evt_1", { label: 'line\nbreaks and "quotes"\r\n\r\nevent: forged' });
    events.publish(broken);
    events.publish(event("evt_2"));
    const expected = textOf(broken) + textOf(event("evt_2"));
    for (const reader of readers) {
      assert.equal(await readAtLeast(reader, expected.length), expected);
    }
  });

  it("is for the admin", async (t) => {
    const { follow } = await setUp(t);
    assert.notEqual((await follow({ authorization: "Bearer other" })).status, 200);
  });

  it("catches a reader up that comes back with the last id it saw", async (t) => {
    const { events, follow } = await setUp(t);
    for (const id of ["evt_1", "evt_2", "evt_3"]) {
      events.publish(event(id));
    }
    const reader = readerOf(await follow({ "last-event-id": "evt_1" }));
    const expected = hello + textOf(event("evt_2")) + textOf(event("evt_3"));
    assert.equal(await readAtLeast(reader, expected.length), expected);
    const lost = readerOf(await follow({ "last-event-id": "evt_unknown" }));
    assert.equal(await readAtLeast(lost, hello.length), hello);
  });

  it("sends a comment now and then, so that the connection does not look dead", async (t) => {
    const { follow } = await setUp(t, 5);
    const reader = readerOf(await follow());
    assert.match(await readAtLeast(reader, 60), /^retry: 3000\n\n: still here\n\n: still here\n\n/);
  });

  it("drops a reader that does not read, and only that one", async (t) => {
    const { events, follow, port, closing } = await setUp(t);
    const slow = connect(port, "127.0.0.1");
    slow.on("error", () => {});
    t.after(() => slow.destroy());
    slow.write(
      "GET /admin/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer admin\r\n\r\n",
    );
    await once(slow, "readable");
    slow.pause();
    const reader = readerOf(await follow());
    await readAtLeast(reader, hello.length);
    let dropped = false;
    void closing[0]?.then(() => {
      dropped = true;
    });
    let published = 0;
    while (!dropped) {
      assert.ok(published < 10_000, "160 MB are kept for a reader that does not read");
      const large = event(`evt_large_${published}`, { filler: "x".repeat(16_000) });
      events.publish(large);
      published += 1;
      await readAtLeast(reader, textOf(large).length);
      await turn();
    }
    events.publish(event("evt_2"));
    const last = textOf(event("evt_2"));
    assert.equal(await readAtLeast(reader, last.length), last);
  });

  it("refuses more readers than it can serve, and takes a new one when one has left", async (t) => {
    const { follow, closing } = await setUp(t);
    const readers = [];
    for (let count = 0; count < 32; count += 1) {
      const reader = readerOf(await follow());
      await readAtLeast(reader, hello.length);
      readers.push(reader);
    }
    assert.notEqual((await follow()).status, 200);
    await Promise.all([readers[0]?.cancel(), Promise.race(closing)]);
    const again = await follow();
    assert.equal(again.status, 200);
  });

  it("ends every stream when the relay drains, as HTTP ends an answer", async (t) => {
    const { draining, follow } = await setUp(t);
    const reader = readerOf(await follow());
    await readAtLeast(reader, hello.length);
    draining.abort();
    assert.equal((await reader.read()).done, true);
    assert.equal(await (await follow()).text(), hello);
  });
});
