/** Every request has exactly one row, whatever happens to caller, upstream or relay. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { createSimulator } from "../packages/server/src/upstreams/simulator/server.ts";
import { ask, askStream, type Setting, startSetting } from "./harness/anthropic.ts";
import { eventStream, events, startHandUpstream } from "./harness/hand-upstream.ts";
import { begun, eventsIn, finish, open, readUntil, send, withToken } from "./harness/http.ts";
import { onlyRow, type Row, rowsOf, rowsWhen } from "./harness/ledger.ts";
import { type Relay, startRelay } from "./harness/relay.ts";
import { masterKey } from "./harness/secrets.ts";

const setUp = async (t: TestContext): Promise<Setting> => {
  const setting = await startSetting();
  t.after(() => setting.stop());
  return setting;
};

/** Runs `count` tasks, at most `width` at a time. */
const inParallel = async (
  count: number,
  width: number,
  run: (index: number) => Promise<void>,
): Promise<void> => {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      await run(next++);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
};

describe("a thousand callers that leave mid-stream", () => {
  it("free upstream, and leave a thousand estimated rows", async (t) => {
    const { relay, token, simulator } = await setUp(t);
    const count = 1000;
    await inParallel(count, 50, async () => {
      const call = open(relay.url, { headers: withToken(token, "stall:6"), body: askStream("hi") });
      await readUntil(await begun(call), (text) => eventsIn(text) === 6);
      call.destroy();
    });
    await simulator.until(({ aborted, openStreams }) => aborted === count && openStreams === 0);
    const rows = await rowsWhen(relay, ({ length }) => length >= count);
    assert.equal(rows.length, count);
    assert.equal(new Set(rows.map(({ id }) => id)).size, count);
    for (const row of rows) {
      const bill = simulator.bills.get(row.upstream_request_id ?? "");
      assert.ok(bill);
      assert.equal(row.accuracy, "estimated");
      assert.equal(row.ending, "client_left");
      assert.equal(row.status, 200);
      assert.equal(row.input_tokens, bill.usage.input_tokens, "input as message_start said");
      assert.ok(row.output_tokens >= bill.usage.output_tokens, "never less than what was said");
      assert.ok(row.output_tokens <= 2 * bill.usage.output_tokens + 8, "nor far more");
      assert.ok(row.cost_micro_usd > 0);
    }
  });
});

describe("completed requests", () => {
  it("are measured: the ledger's sums are upstream's bill, to the token", async (t) => {
    const { relay, token, simulator } = await setUp(t);
    const cached = (ttl: "5m" | "1h", salt: number) => ({
      ...askStream("hi"),
      model: "claude-sonnet-4-5",
      system: [
        {
          type: "text",
          text: `${salt} ${"You are a patient teacher. ".repeat(600)}`,
          cache_control: { type: "ephemeral", ttl },
        },
      ],
    });
    const shapes: [string | undefined, object][] = [
      [undefined, ask("a message")],
      [undefined, askStream("a stream 🦊")],
      ["split:3", askStream("in pieces")],
      ["usage-heavy", askStream("with searches")],
      ["usage-heavy", ask("with searches")],
      [undefined, cached("5m", 1)],
      [undefined, cached("1h", 2)],
      ["deltas:300", askStream("long")],
    ];
    await inParallel(240, 24, async (index) => {
      const [scenario, body] = shapes[index % shapes.length] ?? [];
      const { status, whole } = await send(relay.url, {
        headers: withToken(token, scenario),
        body: body ?? {},
      });
      assert.deepEqual([status, whole], [200, true]);
    });
    const rows = await rowsOf(relay, 50);
    assert.equal(rows.length, 240);
    for (const row of rows) {
      assert.equal(row.accuracy, "measured");
      assertBilled(row, simulator);
    }
    const { body } = await relay.admin("/admin/usage");
    const sum = (field: keyof Row) => rows.reduce((total, row) => total + Number(row[field]), 0);
    for (const field of [
      "input_tokens",
      "output_tokens",
      "cache_read_input_tokens",
      "cache_creation_5m_input_tokens",
      "cache_creation_1h_input_tokens",
      "cost_micro_usd",
    ] as const) {
      assert.equal(body.totals[field], sum(field), field);
      assert.ok(sum(field) > 0, field);
    }
    assert.equal(body.totals.requests, 240);
  });
});

const assertBilled = (row: Row, { bills }: Setting["simulator"]): void => {
  const bill = bills.get(row.upstream_request_id ?? "");
  assert.ok(bill?.complete, row.id);
  const { usage } = bill;
  assert.deepEqual(
    {
      input: row.input_tokens,
      output: row.output_tokens,
      read: row.cache_read_input_tokens,
      written5m: row.cache_creation_5m_input_tokens,
      written1h: row.cache_creation_1h_input_tokens,
    },
    {
      input: usage.input_tokens,
      output: usage.output_tokens,
      read: usage.cache_read_input_tokens,
      written5m: usage.cache_creation.ephemeral_5m_input_tokens,
      written1h: usage.cache_creation.ephemeral_1h_input_tokens,
    },
  );
};

describe("what upstream does not charge for", { concurrency: 4 }, () => {
  for (const scenario of ["400", "401", "404", "413", "429:1", "500", "529", "html:502"]) {
    it(`its ${scenario} leaves a free row`, async (t) => {
      const { relay, token, simulator } = await setUp(t);
      const { status } = await send(relay.url, {
        headers: withToken(token, scenario),
        body: askStream("hi"),
      });
      const row = await onlyRow(relay);
      assert.equal(row.status, status);
      assert.equal(row.accuracy, "free");
      assert.equal(row.ending, "complete");
      assert.deepEqual([row.input_tokens, row.output_tokens, row.cost_micro_usd], [0, 0, 0]);
      assert.equal(row.upstream_request_id, simulator.log[0]?.requestId);
    });
  }

  it("counting tokens and asking for models leave free rows", async (t) => {
    const { relay, token } = await setUp(t);
    const { max_tokens: _, ...countBody } = ask("hi");
    const headers = withToken(token);
    await send(relay.url, { path: "/v1/messages/count_tokens", headers, body: countBody });
    await send(relay.url, { method: "GET", path: "/v1/models", headers });
    await send(relay.url, { method: "GET", path: "/v1/models/claude-haiku-4-5", headers });
    const rows = await rowsOf(relay);
    assert.deepEqual(rows.map(({ operation }) => operation).sort(), [
      "count_tokens",
      "get_model",
      "list_models",
    ]);
    assert.ok(rows.every((row) => row.accuracy === "free" && row.cost_micro_usd === 0));
  });

  it("a request the relay refuses reaches neither upstream nor the ledger", async (t) => {
    const { relay, token, simulator } = await setUp(t);
    const { status } = await send(relay.url, { headers: withToken(token), body: "{" });
    assert.equal(status, 400);
    assert.equal(
      (await send(relay.url, { headers: withToken("none"), body: ask("hi") })).status,
      401,
    );
    assert.deepEqual(await rowsOf(relay), []);
    assert.equal(simulator.counters().requests, 0);
  });
});

/** What an SSE reader makes of a text: the name and the last data line of its last event. */
const lastEvent = (text: string): { name: string | undefined; data: string | undefined } => {
  assert.ok(text.endsWith("\n\n"));
  const last = text.split("\n\n").at(-2) ?? "";
  return {
    name: [...last.matchAll(/^event: (.*)$/gm)].at(-1)?.[1],
    data: [...last.matchAll(/^data: (.*)$/gm)].at(-1)?.[1],
  };
};

const breaks = {
  "a reset": (response: ServerResponse) => response.socket?.resetAndDestroy(),
  "a closed connection": (response: ServerResponse) => response.socket?.destroySoon(),
} as const;

/** A relay before an upstream in the test's hand, and a call that has arrived there. */
const inHand = async (t: TestContext, body: object) => {
  const upstream = await startHandUpstream();
  const relay = await startRelay({ upstreamUrl: upstream.url });
  t.after(async () => {
    await upstream.close();
    await relay.stop();
  });
  const token = await relay.bootstrap();
  const answer = begun(open(relay.url, { headers: withToken(token), body }));
  return { relay, answer, response: await upstream.next() };
};

describe("a stream that upstream breaks", { concurrency: 4 }, () => {
  const fox = Buffer.from(events.delta.replace("Hello", "🦊"));
  const places = {
    "between two events": Buffer.from(events.delta),
    "within an event's name": Buffer.from("event: content_bl"),
    "within an event's data": Buffer.from(events.delta.slice(0, 70)),
    "between a line and its event's end": Buffer.from(events.delta.slice(0, -1)),
    "within a character": fox.subarray(0, fox.indexOf("🦊") + 2),
  };
  for (const [how, breakIt] of Object.entries(breaks)) {
    for (const [where, last] of Object.entries(places)) {
      it(`by ${how} ${where} ends in an error event and no proper end; the row is estimated`, async (t) => {
        const { relay, answer, response } = await inHand(t, askStream("hi"));
        const sent = Buffer.concat([Buffer.from(events.start + events.blockStart), last]);
        response.writeHead(200, eventStream).write(sent);
        const received = await answer;
        const text = await readUntil(received, ({ length }) => length >= sent.length);
        assert.equal(text, sent.toString("latin1"));
        breakIt(response);
        const { body, whole } = await finish(received);
        assert.equal(whole, false, "HTTP's own end mark is missing");
        const { name, data } = lastEvent(text + body.toString());
        assert.equal(name, "error");
        assert.equal(JSON.parse(data ?? "").error.type, "api_error");
        const row = await onlyRow(relay);
        assert.deepEqual([row.accuracy, row.ending], ["estimated", "upstream_broke"]);
        assert.equal(row.input_tokens, 25, "as message_start said");
        assert.ok(row.output_tokens > 0);
      });
    }
  }

  for (const scenario of ["close-mid-stream:6", "end-mid-stream:6", "split:9,close-mid-stream:6"]) {
    it(`by ${scenario} is counted as upstream bills it`, async (t) => {
      const { relay, token, simulator } = await setUp(t);
      const { body, whole } = await send(relay.url, {
        headers: withToken(token, scenario),
        body: askStream("hi"),
      });
      assert.equal(whole, false);
      assert.equal(lastEvent(body.toString()).name, "error");
      const row = await onlyRow(relay);
      const bill = simulator.bills.get(row.upstream_request_id ?? "");
      assert.equal(row.accuracy, "estimated");
      assert.equal(row.input_tokens, bill?.usage.input_tokens);
      assert.ok(row.output_tokens >= Number(bill?.usage.output_tokens));
    });
  }

  it("with an error event of its own is passed on as it is, and the row names the error", async (t) => {
    const { relay, token } = await setUp(t);
    const { body, whole } = await send(relay.url, {
      headers: withToken(token, "error-after-start:6"),
      body: askStream("hi"),
    });
    assert.ok(whole);
    assert.equal(body.toString().match(/event: error/g)?.length, 1);
    const row = await onlyRow(relay);
    assert.equal(row.accuracy, "estimated");
    assert.equal(row.error_type, "overloaded_error");
    assert.ok(row.input_tokens > 0 && row.output_tokens > 0);
  });

  it("before its headers is a 502, and the row is estimated, for upstream may bill it", async (t) => {
    for (const scenario of ["reset-before-headers", "close-before-headers"]) {
      const { relay, token } = await setUp(t);
      const { status } = await send(relay.url, {
        headers: withToken(token, scenario),
        body: askStream("hi"),
      });
      assert.equal(status, 502);
      const row = await onlyRow(relay);
      assert.deepEqual(
        [row.accuracy, row.ending, row.status],
        ["estimated", "upstream_broke", 502],
      );
      assert.ok(row.input_tokens > 0);
    }
  });

  it("silent for longer than UPSTREAM_IDLE_TIMEOUT ends the same way", async (t) => {
    const setting = await startSetting({ env: { UPSTREAM_IDLE_TIMEOUT: "300ms" } });
    t.after(() => setting.stop());
    const { relay, token, simulator } = setting;
    const { body, whole } = await send(relay.url, {
      headers: withToken(token, "stall:6"),
      body: askStream("hi"),
    });
    assert.equal(whole, false);
    assert.match(body.toString(), /event: error\n/);
    await simulator.until(({ openStreams }) => openStreams === 0);
    assert.equal((await onlyRow(relay)).accuracy, "estimated");
  });
});

describe("an answer in one piece that upstream breaks", { concurrency: 4 }, () => {
  for (const [how, breakIt] of Object.entries(breaks)) {
    it(`by ${how} is cut off for the caller too, and the row is estimated`, async (t) => {
      const { relay, answer, response } = await inHand(t, ask("hi"));
      const type = { "content-type": "application/json", "content-length": "1000" };
      response.writeHead(200, type).write('{"type":"message","content":[');
      const received = await answer;
      await readUntil(received, (text) => text.endsWith("["));
      breakIt(response);
      const { status, whole } = await finish(received);
      assert.deepEqual([status, whole], [200, false]);
      const row = await onlyRow(relay);
      assert.deepEqual([row.accuracy, row.ending], ["estimated", "upstream_broke"]);
      assert.ok(row.input_tokens > 0);
    });
  }

  it("by a proper end that comes too early is passed on, and the row is estimated", async (t) => {
    const { relay, token } = await setUp(t);
    const { whole } = await send(relay.url, {
      headers: withToken(token, "end-mid-stream"),
      body: ask("hi"),
    });
    assert.ok(whole);
    const row = await onlyRow(relay);
    assert.equal(row.accuracy, "estimated");
    assert.ok(row.input_tokens > 0);
  });
});

describe("a relay killed with SIGKILL under load", () => {
  it("has exactly one row for every request upstream saw, after every restart", async (t) => {
    const rounds = Number(process.env["KILL_ROUNDS"] ?? 3);
    const dataDir = mkdtempSync(join(tmpdir(), "claude-relay-test-"));
    const simulator = createSimulator({ record: true, acceptKeys: [masterKey] });
    const upstreamUrl = await simulator.listen();
    t.after(async () => {
      await simulator.close();
      rmSync(dataDir, { recursive: true, force: true });
    });
    const start = (): Promise<Relay> => startRelay({ dataDir, upstreamUrl });

    let relay = await start();
    const token = await relay.bootstrap();
    const answered = new Set<string>();
    let sent = 0;
    for (let round = 0; round < rounds; round += 1) {
      const load = underLoad(relay, token, () => `session-${sent++}`, answered);
      const { requests } = simulator.counters();
      // Another moment each round: upstream decides when.
      await simulator.until((now) => now.requests >= requests + 150 + round * 97);
      await relay.kill();
      load.stop();
      await load.over;
      await simulator.until(({ open: left }) => left === 0);
      relay = await start();
    }
    const rows = await rowsOf(relay);
    await relay.stop();

    const bySession = Map.groupBy(rows, (row) => row.session_id ?? "");
    const seen = simulator.log.map(({ headers }) => String(headers["x-claude-code-session-id"]));
    assert.ok(seen.length >= rounds * 150);
    const missing = seen.filter((session) => !bySession.has(session));
    assert.deepEqual(missing, [], "every request upstream saw has a row");
    const doubled = [...bySession].filter(([, { length }]) => length > 1).map(([id]) => id);
    assert.deepEqual(doubled, [], "and none has two");

    const died = rows.filter(({ ending }) => ending === "process_died");
    assert.ok(died.length > 0, "the kill hit running requests");
    for (const row of died) {
      const expected = row.operation === "messages" ? "estimated" : "free";
      assert.equal(row.accuracy, expected);
      assert.ok(row.accuracy === "free" || row.input_tokens > 0);
    }
    const measured = rows.filter(({ accuracy }) => accuracy === "measured");
    assert.ok(measured.length > 0);
    for (const row of measured) {
      assertBilled(row, simulator);
    }
    const unmeasured = [...answered].filter((id) => bySession.get(id)?.[0]?.ending !== "complete");
    t.diagnostic(
      `${rows.length} rows, ${seen.length} seen, ${died.length} died, ` +
        `${unmeasured.length} of ${answered.size} answered whole but not noted so`,
    );
  });
});

/** Callers of every kind, each asking again and again until stopped or refused. */
const underLoad = (
  relay: Relay,
  token: string,
  nextSession: () => string,
  answered: Set<string>,
): { stop(): void; over: Promise<unknown> } => {
  const kinds: [string | undefined, object][] = [
    [undefined, ask("plain")],
    [undefined, askStream("stream")],
    ["paced:20:5", askStream("paced")],
    ["paced:200:10", askStream("takes two seconds")],
    ["slow-start:30", ask("slow")],
    ["429:1", ask("limited")],
    ["split:40", askStream("in pieces")],
  ];
  const state = { stopped: false };
  const caller = async (index: number): Promise<void> => {
    for (let turn = index; !state.stopped; turn += 1) {
      const [scenario, body] = kinds[turn % kinds.length] ?? [];
      const session = nextSession();
      const headers = { ...withToken(token, scenario), "x-claude-code-session-id": session };
      const answer = await send(relay.url, { headers, body: body ?? {} }).catch(() => null);
      if (answer?.whole && answer.status === 200) {
        answered.add(session);
      }
    }
  };
  const over = Promise.all(Array.from({ length: 40 }, (_, index) => caller(index)));
  return {
    stop: () => {
      state.stopped = true;
    },
    over,
  };
};
