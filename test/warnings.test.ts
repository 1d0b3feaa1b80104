/** Early warning: budgets that fill up are told of in the audit log, at /admin/events and by webhook. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { ask } from "./harness/anthropic.ts";
import { startHandUpstream } from "./harness/hand-upstream.ts";
import { begun, finish, open, readUntil, withToken } from "./harness/http.ts";
import { type InsideRelay, question, startInside } from "./harness/inside.ts";
import { startRelay } from "./harness/relay.ts";
import { adminToken } from "./harness/secrets.ts";

const secret = "a webhook secret of 32 bytes or more";

type Call = Readonly<{ headers: IncomingHttpHeaders; body: string; response: ServerResponse }>;

type Warning = Readonly<{ threshold: number }>;

/** A receiver that hands each call to the test, which answers it. */
const startReceiver = async (t: TestContext) => {
  const calls: Call[] = [];
  const waiting: ((call: Call) => void)[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    const call = { headers: request.headers, body: Buffer.concat(chunks).toString(), response };
    const next = waiting.shift();
    if (next === undefined) {
      calls.push(call);
    } else {
      next(call);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const next = (): Promise<Call> => {
    const call = calls.shift();
    return call === undefined
      ? new Promise((resolve) => waiting.push(resolve))
      : Promise.resolve(call);
  };
  return {
    env: {
      WEBHOOK_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
      WEBHOOK_SECRET: secret,
      WEBHOOK_ALLOW_PRIVATE: "true",
    },
    /** Calls nobody has asked for yet. */
    unread: () => calls.length,
    next,
    /** The next call's event, checked to be signed; answered with this status. */
    event: async (status = 204) => {
      const { headers, body, response } = await next();
      const mac = createHmac("sha256", secret).update(`${headers["x-relay-timestamp"]}.${body}`);
      assert.equal(headers["x-relay-signature"], `v1=${mac.digest("hex")}`);
      response.writeHead(status).end();
      const event = JSON.parse(body);
      assert.equal(headers["x-relay-event-id"], event.id);
      return event;
    },
  };
};

const setUp = async (t: TestContext, options: Parameters<typeof startInside>[0] = {}) => {
  const relay = await startInside(options);
  t.after(() => (options.dataDir === undefined ? relay.remove() : undefined));
  return relay;
};

const setBudget = async (
  relay: Pick<InsideRelay, "admin">,
  limit: number,
  window: unknown = "day",
): Promise<string> => {
  const body = { scope: "relay", limit_tokens: limit, window };
  const created = await relay.admin("/admin/budgets", { body });
  assert.equal(created.status, 201, created.text);
  return created.body.id;
};

const changeLimit = (relay: InsideRelay, id: string, limit: number) =>
  relay.admin(`/admin/budgets/${id}`, { method: "PATCH", body: { limit_tokens: limit } });

/** Of one call: 20,000 tokens out and a few in are spent, 24,000 at most are held. */
const bigCall = { max_tokens: 20_000 };
const bigHeaders = { "x-simulator-scenario": "huge:81920", "anthropic-version": "2023-06-01" };

const spend = async (relay: InsideRelay, token: string): Promise<number> => {
  const body = { ...question, ...bigCall };
  const { status } = await relay.call("/v1/messages", { token, headers: bigHeaders, body });
  return status;
};

const listModels = (relay: InsideRelay, token: string) =>
  relay.call("/v1/models", { token, headers: { "anthropic-version": "2023-06-01" } });

const warningsOf = async (relay: Pick<InsideRelay, "admin">, subject: string) => {
  const page = await relay.admin(`/admin/audit?action=budget.warning&subject=${subject}`);
  return page.body.data.reverse();
};

/** Follows /admin/events; gives what comes, event by event. */
const follow = async (url: string) => {
  const headers = { authorization: `Bearer ${adminToken}` };
  const response = await begun(open(url, { method: "GET", path: "/admin/events", headers }));
  assert.equal(response.statusCode, 200);
  let text = await readUntil(response, (soFar) => soFar.includes("\n\n"));
  return {
    response,
    next: async () => {
      const event = /^data: (.*)\n\n/m;
      if (!event.test(text)) {
        text += await readUntil(response, (more) => event.test(text + more));
      }
      const [whole = "", data = ""] = event.exec(text) ?? [];
      text = text.slice(text.indexOf(whole) + whole.length);
      return JSON.parse(data);
    },
  };
};

describe("budget warnings", { concurrency: 4 }, () => {
  it("come at 50, 80, 95 and 100 %, each once, by webhook, in the audit log and at /admin/events", async (t) => {
    const receiver = await startReceiver(t);
    const relay = await setUp(t, { env: receiver.env });
    const token = await relay.bootstrap();
    const id = await setBudget(relay, 500_000);
    const stream = await follow(relay.url);
    let status = 200;
    for (let calls = 0; status === 200; calls += 1) {
      assert.ok(calls < 40);
      status = await spend(relay, token);
    }
    assert.equal(status, 429);
    assert.equal(await spend(relay, token), 429);
    const told = [];
    for (const threshold of [50, 80, 95, 100]) {
      const event = await receiver.event();
      assert.deepEqual(await stream.next(), event, "the same event on both ways");
      assert.equal(event.type, "budget.warning");
      assert.equal(event.subject, id);
      assert.equal(event.actor, "relay");
      const { spent, left, ...detail } = event.detail;
      assert.ok(spent >= (500_000 * Math.min(threshold, 95)) / 100, `${spent} at ${threshold} %`);
      assert.equal(left, 500_000 - spent);
      assert.deepEqual(detail, {
        threshold,
        reason: threshold === 100 ? "refused" : "spent",
        limit: 500_000,
        unit: "tokens",
        scope: "relay",
        scope_id: null,
        window: "day",
        resets_at: "2026-11-22T00:00:00.000Z",
      });
      told.push({ event_id: event.id, spent, left, ...detail });
    }
    const rows = await warningsOf(relay, id);
    assert.deepEqual(
      rows.map(({ detail }: { detail: Warning }) => detail.threshold),
      [50, 80, 95, 100],
    );
    for (const [index, { detail, actor, outcome }] of rows.entries()) {
      assert.deepEqual([actor, outcome], ["relay", "ok"]);
      assert.deepEqual(detail, told[index]);
    }
    assert.equal(receiver.unread(), 0);
    stream.response.destroy();
  });

  it("come each when one step crosses several, and anew in the next window", async (t) => {
    const receiver = await startReceiver(t);
    const relay = await setUp(t, { env: receiver.env });
    // A device's token would be over by the second day.
    const token = await relay.mint();
    await setBudget(relay, 24_500);
    for (const day of [21, 22]) {
      assert.equal(await spend(relay, token), 200);
      for (const threshold of [50, 80]) {
        const { detail } = await receiver.event();
        assert.equal(detail.threshold, threshold);
        assert.equal(detail.resets_at, `2026-11-${day + 1}T00:00:00.000Z`);
      }
      relay.advance(24 * 3_600_000);
    }
    assert.equal(receiver.unread(), 0);
  });

  it("follow a limit that is changed: anew when it is raised and fills up, at once when lowered", async (t) => {
    const receiver = await startReceiver(t);
    const relay = await setUp(t, { env: receiver.env });
    const token = await relay.bootstrap();
    const id = await setBudget(relay, 39_000);
    assert.equal(await spend(relay, token), 200);
    assert.equal((await receiver.event()).detail.threshold, 50);
    await changeLimit(relay, id, 70_000);
    assert.equal(await spend(relay, token), 200);
    const anew = (await receiver.event()).detail;
    assert.deepEqual([anew.threshold, anew.limit], [50, 70_000]);
    await changeLimit(relay, id, 40_001);
    assert.equal(await spend(relay, token), 429);
    for (const threshold of [80, 95, 100]) {
      const { detail } = await receiver.event();
      assert.deepEqual([detail.threshold, detail.limit], [threshold, 40_001]);
    }
    assert.equal(receiver.unread(), 0);
  });

  it("are not repeated by a restart, which sends what was not delivered", async (t) => {
    const dataDir = mkdtempSync(join(tmpdir(), "claude-relay-test-"));
    t.after(() => rmSync(dataDir, { recursive: true, force: true }));
    const receiver = await startReceiver(t);
    const before = await setUp(t, { dataDir, env: receiver.env });
    const token = await before.bootstrap();
    const id = await setBudget(before, 49_000);
    await spend(before, token);
    await spend(before, token);
    const first = await receiver.event();
    assert.equal(first.detail.threshold, 50);
    const lost = await receiver.next();
    lost.response.destroy();
    await before.close();

    const again = await setUp(t, { dataDir, env: receiver.env });
    t.after(() => again.close());
    assert.equal((await receiver.event()).id, JSON.parse(lost.body).id);
    assert.equal(await spend(again, token), 429);
    assert.equal((await receiver.event()).detail.threshold, 100);
    assert.deepEqual(
      (await warningsOf(again, id)).map(({ detail }: { detail: Warning }) => detail.threshold),
      [50, 80, 100],
    );
    assert.equal(receiver.unread(), 0);
  });

  it("are sent again after a 500, signed anew", async (t) => {
    const receiver = await startReceiver(t);
    const relay = await setUp(t, { env: receiver.env });
    await setBudget(relay, 39_000);
    await spend(relay, await relay.bootstrap());
    const failed = await receiver.event(500);
    assert.deepEqual(await receiver.event(), failed);
    const delivered = await until(async () => {
      const { body } = await relay.admin("/admin/audit?action=webhook.deliver");
      return body.data[0];
    });
    assert.equal(delivered.subject, failed.id);
    assert.deepEqual([delivered.outcome, delivered.detail.tries], ["ok", 2]);
  });

  it("never hold up a request, whether the receiver is silent or gone", async (t) => {
    const receiver = await startReceiver(t);
    const silent = await setUp(t, { env: receiver.env });
    await setBudget(silent, 24_500);
    const token = await silent.bootstrap();
    assert.equal(await spend(silent, token), 200);
    const { response } = await receiver.next();
    assert.equal((await listModels(silent, token)).status, 200);
    assert.equal(response.writableEnded, false, "the receiver has not answered yet");

    const gone = await setUp(t, {
      env: { ...receiver.env, WEBHOOK_URL: `http://127.0.0.1:${await closedPort()}/` },
    });
    const id = await setBudget(gone, 24_500);
    const another = await gone.bootstrap();
    assert.equal(await spend(gone, another), 200);
    assert.equal((await listModels(gone, another)).status, 200);
    assert.equal((await until(async () => (await warningsOf(gone, id))[1])).detail.threshold, 80);
  });

  it("are for the audit log and /admin/events when there is no webhook", async (t) => {
    const relay = await setUp(t);
    const id = await setBudget(relay, 39_000);
    await spend(relay, await relay.bootstrap());
    assert.equal((await until(async () => (await warningsOf(relay, id))[0])).detail.threshold, 50);
  });
});

describe("/admin/events", () => {
  it("tells of revocations and of the circuit breaker", async (t) => {
    const relay = await setUp(t);
    const token = await relay.bootstrap("mac-book-1");
    await relay.mint({ label: "my-app" });
    const stream = await follow(relay.url);
    await relay.admin("/admin/keys/my-app", { method: "DELETE" });
    const body = { status: "revoked" };
    await relay.admin("/admin/devices/mac-book-1", { method: "PATCH", body });
    const events = [await stream.next(), await stream.next()];
    assert.deepEqual(
      events.map(({ type, subject, actor }) => [type, subject, actor]),
      [
        ["app_key.revoke", "my-app", "admin"],
        ["device.revoke", "mac-book-1", "admin"],
      ],
    );
    assert.equal((await relay.call("/admin/events", { token })).status, 401);
    const other = await relay.bootstrap("mac-book-2");
    assert.equal((await relay.call("/admin/events", { token: other })).status, 403);
    for (let failures = 0; failures < 5; failures += 1) {
      await relay.call("/v1/messages", {
        token: other,
        headers: { "x-simulator-scenario": "529", "anthropic-version": "2023-06-01" },
        body: question,
      });
    }
    const { type, outcome } = await stream.next();
    assert.deepEqual([type, outcome], ["circuit_breaker.change", "open"]);
    stream.response.destroy();
  });

  it("ends its streams at once on SIGTERM, while other answers still finish", async (t) => {
    const upstream = await startHandUpstream();
    t.after(() => upstream.close());
    const relay = await startRelay({ upstreamUrl: upstream.url });
    const token = await relay.bootstrap();
    const answer = begun(open(relay.url, { headers: withToken(token), body: ask("hi") }));
    const response = await upstream.next();
    const stream = await follow(relay.url);
    const ended = once(stream.response.resume(), "end");
    const stopped = relay.stop();
    await ended;
    assert.ok(stream.response.complete);
    response
      .writeHead(200, { "content-type": "application/json" })
      .end('{"type":"message","model":"m","usage":{"input_tokens":3,"output_tokens":4}}');
    assert.equal((await finish(await answer)).status, 200);
    assert.equal(await stopped, 0);
  });
});

describe("a webhook that is not on the public internet", () => {
  it("is not called: nobody connects, and the log says why but not where", async (t) => {
    let connections = 0;
    const server = createTcpServer(() => {
      connections += 1;
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const relay = await setUp(t, {
      env: { WEBHOOK_URL: `https://0.0.0.0:${port}/hook?token=t0ken`, WEBHOOK_SECRET: secret },
    });
    await setBudget(relay, 39_000);
    await spend(relay, await relay.bootstrap());
    const line = await until(async () => relay.logs.find((text) => text.includes("webhook call")));
    assert.match(line, /does not resolve to a public address/);
    assert.doesNotMatch(relay.logs.join(), /t0ken|a webhook secret/);
    assert.equal(connections, 0);
  });
});

/** A port nobody listens on. */
const closedPort = async (): Promise<number> => {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
};

/** Asks until there is an answer: for what is written down after its cause was answered. */
const until = async <Value>(look: () => Promise<Value | undefined>): Promise<Value> => {
  for (;;) {
    const found = await look();
    if (found !== undefined) {
      return found;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
