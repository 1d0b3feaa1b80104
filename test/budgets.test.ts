/** Budgets that hold: what upstream itself counts never exceeds them, whatever callers, upstream and relay do. */
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { after, before, beforeEach, describe, it, type TestContext } from "node:test";
import { billedBy } from "./harness/bills.ts";
import { begun, eventsIn, open, readUntil, withToken } from "./harness/http.ts";
import { type Answer, type InsideRelay, question, startInside } from "./harness/inside.ts";
import { createOwners } from "./harness/owners.ts";
import { assertAppRefused, assertRefused, type Refused } from "./harness/refused.ts";

const generous = {
  RATE_LIMIT_MAX: "1000000",
  PER_KEY_RPM: "1000000",
  PER_KEY_DAILY: "none",
  GLOBAL_CONCURRENCY: "100000",
};

const start = async (t: TestContext, options: Parameters<typeof startInside>[0] = {}) => {
  const relay = await startInside({ ...options, env: { ...generous, ...options.env } });
  t.after(() => relay.remove());
  return relay;
};

type Setting = Readonly<Record<string, unknown>>;

/** Sets a budget, of the relay and for ever unless told otherwise; gives its id. */
const budget = async (relay: InsideRelay, setting: Setting): Promise<string> => {
  const body = { scope: "relay", window: "total", ...setting };
  const answer = await relay.admin("/admin/budgets", { body });
  assert.equal(answer.status, 201, answer.text);
  return answer.body.id;
};

const remove = async (relay: InsideRelay, id: string): Promise<void> => {
  assert.equal((await relay.admin(`/admin/budgets/${id}`, { method: "DELETE" })).status, 200);
};

type Standing = { limit: number; held: number; spent: number; left: number; resets_at: string };

const standing = async (relay: InsideRelay, id: string, query = ""): Promise<Standing> =>
  (await relay.admin(`/admin/budgets/${id}${query}`)).body;

type More = Readonly<{ session?: string; scenario?: string; changes?: Setting; path?: string }>;

const ask = (relay: InsideRelay, token: string, more: More = {}): Promise<Answer> =>
  relay.call(more.path ?? "/v1/messages", {
    token,
    headers: {
      "anthropic-version": "2023-06-01",
      ...(more.session !== undefined && { "x-claude-code-session-id": more.session }),
      ...(more.scenario !== undefined && { "x-simulator-scenario": more.scenario }),
    },
    body: { ...question, ...more.changes },
  });

/** A stream that says six events and then nothing, until the caller leaves. */
const stalled = async (relay: InsideRelay, token: string): Promise<IncomingMessage> => {
  const body = { ...question, stream: true };
  return begun(open(relay.url, { headers: withToken(token, "stall:6"), body }));
};

const overBudget = (says: RegExp): Refused => ({
  status: 429,
  type: "billing_error",
  says,
  retry: "false",
});

/** What one small request holds, and what it comes to. */
const costOfOne = async (relay: InsideRelay, token: string) => {
  const answer = await ask(relay, token);
  assert.equal(answer.status, 200, answer.text);
  const { body } = await relay.admin("/admin/usage/requests?limit=1");
  const { cost_micro_usd: cost, hold_micro_usd: hold } = body.data[0];
  assert.ok(cost > 0 && (hold === undefined || hold >= cost));
  return { cost, tokens: answer.body.usage.input_tokens + answer.body.usage.output_tokens };
};

/** What the relay takes the question's worst case for: it says so when it refuses. */
const worstCase = async (relay: InsideRelay, token: string, unit: "usd" | "tokens") => {
  const id = await budget(relay, unit === "usd" ? { limit_micro_usd: 0 } : { limit_tokens: 0 });
  const refused = await ask(relay, token);
  await remove(relay, id);
  const { message } = refused.body.error;
  const said =
    /this request could use \$?(\d+(?:\.\d+)?)/.exec(message)?.[1] ?? assert.fail(message);
  return unit === "usd" ? Math.round(Number(said) * 1_000_000) : Number(said);
};

/** Demands that nothing is held any more. The caller has its answer a moment before that. */
const released = async (relay: InsideRelay, id: string, query = ""): Promise<Standing> => {
  for (;;) {
    const now = await standing(relay, id, query);
    if (now.held === 0) {
      assert.equal(now.left, Math.max(0, now.limit - now.spent));
      return now;
    }
  }
};

describe("200 parallel requests against a budget for 10", () => {
  for (const unit of ["usd", "tokens"] as const) {
    it(`(${unit}) that all run at once: 10 are let through, 190 are told why not`, async (t) => {
      const relay = await start(t);
      const token = await relay.bootstrap();
      const body = { ...question, stream: true };
      const id0 = await budget(
        relay,
        unit === "usd" ? { limit_micro_usd: 0 } : { limit_tokens: 0 },
      );
      const { message } = (await relay.ask(token, { stream: true })).body.error;
      await remove(relay, id0);
      const said = /could use \$?(\d+(?:\.\d+)?)/.exec(message)?.[1] ?? assert.fail(message);
      const worst = unit === "usd" ? Math.round(Number(said) * 1_000_000) : Number(said);
      const limit = 10 * worst + worst - 1;
      const id = await budget(
        relay,
        unit === "usd" ? { limit_micro_usd: limit } : { limit_tokens: limit },
      );
      const calls = Array.from({ length: 200 }, () =>
        open(relay.url, { headers: withToken(token, "stall:6"), body }),
      );
      const answers = await Promise.all(calls.map(begun));
      const passed = answers.filter(({ statusCode }) => statusCode === 200);
      const refused = answers.filter(({ statusCode }) => statusCode === 429);
      assert.deepEqual([passed.length, refused.length], [10, 190]);
      assert.ok(refused.every(({ headers }) => headers["x-should-retry"] === "false"));
      assert.equal(relay.simulator.counters().requests, 10);
      assert.equal((await standing(relay, id)).held, 10 * worst);
      assertRefused(
        await ask(relay, token, { changes: { stream: true } }),
        overBudget(
          new RegExp(`This relay's budget ${id} of .* has .* left .*held.* It does not reset`),
        ),
      );
      await Promise.all(passed.map((answer) => readUntil(answer, (text) => eventsIn(text) === 6)));
      for (const call of calls) {
        call.destroy();
      }
      await relay.simulator.until(({ openStreams }) => openStreams === 0);
      const { spent } = await released(relay, id);
      const billed = billedBy(relay.simulator)[unit === "usd" ? "microUsd" : "tokens"];
      assert.ok(billed > 0 && billed <= spent && spent <= limit, `${billed} ${spent} ${limit}`);
    });

    it(`(${unit}) again and again: it is used up, and never exceeded`, async (t) => {
      const relay = await start(t);
      const token = await relay.bootstrap();
      const { cost, tokens } = await costOfOne(relay, token);
      const worst = await worstCase(relay, token, unit);
      const limit = 10 * (unit === "usd" ? cost : tokens) + worst;
      relay.simulator.reset();
      const before = await standing(
        relay,
        await budget(relay, unit === "usd" ? { limit_micro_usd: limit } : { limit_tokens: limit }),
      );
      const id = (before as unknown as { id: string }).id;
      // Counted from the ledger: the request before the budget was set is in it.
      assert.equal(before.spent, unit === "usd" ? cost : tokens);
      let passed = 0;
      for (let round = 0; ; round += 1) {
        const answers = await Promise.all(Array.from({ length: 200 }, () => ask(relay, token)));
        const good = answers.filter(({ status }) => status === 200).length;
        passed += good;
        for (const answer of answers.filter(({ status }) => status !== 200)) {
          assertRefused(answer, overBudget(new RegExp(id)));
        }
        if (good === 0) {
          break;
        }
        assert.ok(round < 20);
      }
      const { spent, left } = await released(relay, id);
      const billed = billedBy(relay.simulator);
      assert.equal(billed.requests, passed);
      assert.equal(
        (unit === "usd" ? billed.microUsd : billed.tokens) + before.spent,
        spent,
        "our count is upstream's",
      );
      assert.ok(spent <= limit);
      assert.ok(left < worst, "no request that fits is refused");
      assert.equal(passed, 10, "what was set aside and not used came back");
    });
  }
});

describe("a budget", () => {
  let relay: InsideRelay;
  let key: string;
  let device: string;
  let worst: number;

  before(async () => {
    relay = await startInside({ env: generous });
    await createOwners(relay, "lab", "ann");
    key = await relay.mint({ label: "anns-app", user_id: "ann" });
    device = await relay.bootstrap("anns-laptop");
    const body = { user_id: "ann" };
    await relay.admin("/admin/devices/anns-laptop", { method: "PATCH", body });
    worst = await worstCase(relay, key, "usd");
  });
  after(() => relay.remove());
  beforeEach(async () => {
    relay.simulator.reset();
    for (const { id } of (await relay.admin("/admin/budgets")).body.data) {
      await remove(relay, id);
    }
  });

  it("of each scope binds whom it is set on, and nobody else", async () => {
    const other = await relay.mint({ label: `other-${relay.now()}` });
    const table: readonly [
      Setting,
      bound: [string, string?][],
      free: [string, string?][],
      RegExp,
    ][] = [
      [{ scope: "relay" }, [[key], [device], [other]], [], /This relay's budget/],
      [
        { scope: "organization", scope_id: "lab" },
        [[key], [device]],
        [[other]],
        /This organization's/,
      ],
      [{ scope: "user", scope_id: "ann" }, [[key], [device]], [[other]], /This user's/],
      [{ scope: "app_key", scope_id: "anns-app" }, [[key]], [[device], [other]], /This app key's/],
      [{ scope: "device", scope_id: "anns-laptop" }, [[device]], [[key], [other]], /This device's/],
      [
        { scope: "session", scope_id: "s-1" },
        [
          [key, "s-1"],
          [device, "s-1"],
        ],
        [[key, "s-2"], [key], [other]],
        /This session's/,
      ],
      [
        { scope: "session", scope_id: "*" },
        [
          [key, "s-1"],
          [device, "s-2"],
          [other, "*"],
        ],
        [[key], [other]],
        /This session's/,
      ],
    ];
    for (const [scope, bound, free, says] of table) {
      const id = await budget(relay, { ...scope, limit_micro_usd: worst - 1, window: "day" });
      for (const [token, session] of bound) {
        const refused = await ask(relay, token, session === undefined ? {} : { session });
        assertRefused(refused, overBudget(says));
        assert.match(refused.body.error.message, new RegExp(id));
        assert.match(refused.body.error.message, /It resets at 2026-11-22T00:00:00.000Z/);
        assert.match(
          refused.body.error.message,
          new RegExp(`has \\$0\\.\\d{6} left; .*\\$${(worst / 1e6).toFixed(6)}`),
        );
      }
      assert.equal(relay.simulator.counters().requests, 0, "refused before upstream");
      for (const [token, session] of free) {
        const answer = await ask(relay, token, session === undefined ? {} : { session });
        assert.equal(answer.status, 200, `${JSON.stringify(scope)} ${answer.text}`);
      }
      relay.simulator.reset();
      await remove(relay, id);
      assert.equal((await ask(relay, key, { session: "s-1" })).status, 200, "once it is gone");
      relay.simulator.reset();
    }
  });

  it("of each session is one for each", async () => {
    const id = await budget(relay, {
      scope: "session",
      scope_id: "*",
      limit_micro_usd: worst,
      window: "total",
    });
    const sessions = ["fresh-1", "fresh-2"];
    for (const session of sessions) {
      assert.equal((await ask(relay, key, { session })).status, 200);
      const { spent } = await released(relay, id, `?session_id=${session}`);
      assert.ok(spent > 0);
      assertRefused(await ask(relay, device, { session }), overBudget(/This session's/));
    }
  });

  it("refuses all or nothing: what the wider one grants is given back when the narrower refuses", async () => {
    const wide = await budget(relay, { limit_micro_usd: 1_000_000_000 });
    const before = await standing(relay, wide);
    const narrow = await budget(relay, { scope: "user", scope_id: "ann", limit_micro_usd: 0 });
    await Promise.all(Array.from({ length: 50 }, () => ask(relay, key)));
    assert.deepEqual(await standing(relay, wide), before);
    assert.equal((await standing(relay, narrow)).held, 0);
  });

  const windows: readonly [window: string, turns: string | null][] = [
    ["day", "2026-11-29T00:00:00.000Z"],
    ["week", "2026-11-30T00:00:00.000Z"],
    ["month", "2026-12-01T00:00:00.000Z"],
    ["total", null],
  ];
  for (const [window, turns] of windows) {
    const when = turns === null ? "never turns" : `turns at ${turns}, not earlier`;
    it(`by ${window} ${when}`, async (t) => {
      const own = await start(t, { now: Date.parse("2026-11-28T23:59:00.000Z") });
      const token = await own.mint();
      const { cost } = await costOfOne(own, token);
      const most = (await worstCase(own, token, "usd")) + cost;
      const id = await budget(own, { limit_micro_usd: most, window });
      assert.equal((await standing(own, id)).resets_at, turns);
      assert.equal((await ask(own, token)).status, 200);
      const says = overBudget(new RegExp(turns === null ? "does not reset" : `resets at ${turns}`));
      assertRefused(await ask(own, token), says);
      own.advance(Date.parse(turns ?? "2036-01-01T00:00:00.000Z") - 1 - own.now());
      assert.equal((await standing(own, id)).spent, 2 * cost);
      assertRefused(await ask(own, token), says);
      own.advance(1);
      const isOver = turns === null;
      assert.equal((await standing(own, id)).spent, isOver ? 2 * cost : 0);
      assert.equal((await ask(own, token)).status, isOver ? 429 : 200);
    });
  }

  it("that rolls forgets what is older than its hours, not earlier, and the same after a restart", async (t) => {
    let own = await startInside({ env: generous, now: Date.parse("2026-11-21T12:40:00Z") });
    t.after(() => own.remove());
    const secret = await own.mint();
    const { cost } = await costOfOne(own, secret);
    const most = (await worstCase(own, secret, "usd")) + cost;
    const id = await budget(own, { limit_micro_usd: most, window: { rolling_hours: 2 } });
    assert.equal((await ask(own, secret)).status, 200);
    assertRefused(await ask(own, secret), overBudget(/begins to reset at 2026-11-21T14:4/));
    own.advance(2 * 3_600_000 - 1);
    assertRefused(await ask(own, secret), overBudget(/begins to reset at/));
    const now = own.now();
    await own.close();
    own = await startInside({ env: generous, dataDir: own.dataDir, now });
    assert.equal((await standing(own, id)).spent, 2 * cost);
    assertRefused(await ask(own, secret), overBudget(/begins to reset at/));
    // Counted by the hour after a restart: never less than two hours, at most one more.
    own.advance(3_600_000 + 120_000);
    assert.equal((await ask(own, secret)).status, 200);
  });

  it("is spent by /v1/complete too, and refuses it in the apps' words", async () => {
    const id = await budget(relay, {
      scope: "app_key",
      scope_id: "anns-app",
      limit_micro_usd: 10_000_000,
    });
    const before = await standing(relay, id);
    const complete = (prompt: string) =>
      relay.call("/v1/complete", { token: key, body: { prompt, model: "haiku", max_tokens: 50 } });
    const answer = await complete("Say hello.");
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers.get("x-relay-budget"), id);
    const { spent } = await released(relay, id);
    assert.equal(spent - before.spent, billedBy(relay.simulator).microUsd);
    const body = { limit_micro_usd: spent + 10 };
    await relay.admin(`/admin/budgets/${id}`, { method: "PATCH", body });
    assertAppRefused(
      await complete("Say hello."),
      overBudget(new RegExp(`This app key's budget ${id}`)),
    );
    assert.equal(relay.simulator.counters().requests, 1);
  });

  it("holds for a prompt what it can cost, not what its bytes look like", async () => {
    await budget(relay, { limit_tokens: 0 });
    const held = async (...content: unknown[]): Promise<number> => {
      const refused = await ask(relay, key, {
        changes: { messages: [{ role: "user", content }] },
      });
      assertRefused(refused, overBudget(/could use \d+ tokens/));
      return Number(/could use (\d+)/.exec(refused.body.error.message)?.[1]);
    };
    const text = { type: "text", text: "What is this?" };
    const base64 = { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" };
    const image = { type: "image", source: base64 };
    const plain = await held(text);
    assert.ok(plain < 5000);
    assert.ok((await held(text, image)) > plain + 5000);
    assert.ok((await held(text, image, image)) > plain + 10_000);
    const file = { type: "file", file_id: "file_1" };
    const url = { type: "url", url: "https://example.com/a.png" };
    for (const block of [
      { type: "document", source: { ...base64, media_type: "application/pdf" } },
      { type: "image", source: url },
      { type: "image", source: file },
      { type: "container_upload", file_id: "file_1" },
      { type: "tool_result", tool_use_id: "t", content: [{ type: "document", source: url }] },
    ]) {
      assert.ok((await held(text, block)) >= 1_000_000, JSON.stringify(block));
    }
    const spelt = JSON.stringify({ ...question, messages: [{ role: "user", content: [image] }] });
    for (const hidden of [
      spelt.replace('"image"', '"\\u0069mage"'),
      spelt.replace('"type":"image"', '"t\\u0079pe":"image"'),
    ]) {
      assert.notEqual(hidden, spelt);
      const refused = await relay.call("/v1/messages", { token: key, body: hidden });
      assertRefused(refused, overBudget(/could use 1\d{6} tokens/));
    }
    assert.equal(relay.simulator.counters().requests, 0);
  });

  it("of nothing still lets through what costs nothing: counting, and the lists of models", async () => {
    await budget(relay, { limit_micro_usd: 0 });
    await budget(relay, { limit_tokens: 0 });
    const { max_tokens: _, ...countable } = question;
    const counted = await relay.call("/v1/messages/count_tokens", {
      token: key,
      headers: { "anthropic-version": "2023-06-01" },
      body: countable,
    });
    assert.equal(counted.status, 200, counted.text);
    assert.equal((await relay.call("/v1/models", { token: key })).status, 200);
    assert.equal((await relay.call("/v1/models/claude-haiku-4-5", { token: key })).status, 200);
    assertRefused(await ask(relay, key), overBudget(/This relay's/));
  });

  it("tells what remains of it in the answer's headers: of several the one with the least share", async () => {
    // Fewer tokens than micro-dollars are left of it, but a greater share.
    await budget(relay, { limit_tokens: 4_000_000 });
    const id = await budget(relay, {
      scope: "user",
      scope_id: "ann",
      limit_micro_usd: 5_000_000,
      window: "month",
    });
    const { left, spent } = await standing(relay, id);
    const { headers } = await ask(relay, key);
    assert.equal(headers.get("x-relay-budget"), id);
    assert.equal(headers.get("x-relay-budget-left"), String(left - worst));
    assert.equal(headers.get("x-relay-budget-unit"), "micro_usd");
    assert.equal(headers.get("x-relay-budget-reset"), "2026-12-01T00:00:00.000Z");
    assert.ok((await released(relay, id)).spent > spent);
  });

  it("gets back what errors held, and is charged nothing for them", async () => {
    const id = await budget(relay, { limit_micro_usd: 1_000_000_000 });
    const before = await standing(relay, id);
    for (const scenario of ["400", "429:1", "529", "html:404", "413"]) {
      const answer = await ask(relay, key, { scenario });
      assert.ok(answer.status >= 400, scenario);
    }
    for (const body of ["{", '{"model":"a","model":"b"}', "[]", '{"model":"no such model"}']) {
      assert.equal((await relay.call("/v1/messages", { token: key, body })).status, 400, body);
    }
    assert.deepEqual(await standing(relay, id), before);
    assert.equal(billedBy(relay.simulator).microUsd, 0);
  });

  it("is charged for what upstream may have billed and never said", async () => {
    const id = await budget(relay, { limit_micro_usd: 1_000_000_000 });
    const faults: readonly [scenario: string, stream: boolean][] = [
      ["reset-before-headers", false],
      ["close-before-headers", true],
      ["close-mid-stream:4", true],
      ["reset-mid-event:4", true],
      ["end-mid-stream:4", true],
      ["close-mid-stream:1", false],
      ["error-after-start:3", true],
    ];
    for (const [scenario, stream] of faults) {
      const { spent } = await standing(relay, id);
      relay.simulator.reset();
      await ask(relay, key, { scenario, changes: { stream } }).catch(() => null);
      const now = await released(relay, id);
      const { microUsd } = billedBy(relay.simulator);
      assert.ok(now.spent > spent, `${scenario}: something is charged`);
      assert.ok(now.spent - spent >= microUsd, `${scenario}: ${now.spent - spent} of ${microUsd}`);
      await relay.admin("/admin/circuit-breaker/reset", { method: "POST" });
    }
  });
});

describe("a caller that leaves", () => {
  it("cannot make upstream count more than its budget, by any number of attempts", async (t) => {
    const relay = await start(t);
    const token = await relay.bootstrap();
    const { cost } = await costOfOne(relay, token);
    const worst = await worstCase(relay, token, "usd");
    relay.simulator.reset();
    const limit = 20 * cost + worst;
    const id = await budget(relay, { limit_micro_usd: limit });
    const leave = async (stream: boolean): Promise<boolean> => {
      const { requests } = relay.simulator.counters();
      const call = open(relay.url, {
        headers: withToken(token, "stall:4"),
        body: { ...question, stream },
      });
      const refused = begun(call).then(({ statusCode }) => statusCode === 429);
      refused.catch(() => null);
      const seen = relay.simulator.until((counters) => counters.requests > requests);
      if (stream) {
        const answer = await begun(call).catch(() => null);
        if (answer?.statusCode === 429) {
          return false;
        }
        await readUntil(answer as IncomingMessage, (text) => eventsIn(text) >= 4);
      } else if (await Promise.race([refused, seen.then(() => false)])) {
        return false;
      }
      call.destroy();
      await relay.simulator.until(({ open: running }) => running === 0);
      await released(relay, id);
      return true;
    };
    let left = 0;
    while (await leave(left % 2 === 0)) {
      left += 1;
      assert.ok(left < 1000, "the budget never runs out");
    }
    assert.ok(left > 2);
    const { spent } = await standing(relay, id);
    const billed = billedBy(relay.simulator).microUsd;
    assert.ok(billed > 0 && billed + cost <= spent, `upstream ${billed}, we ${spent - cost}`);
    assert.ok(billed + cost <= limit, `${billed} of ${limit}`);
  });

  for (const onDisconnect of ["cancel", "drain"] as const) {
    it(`has its answer ${onDisconnect === "drain" ? "read to the end and measured" : "cancelled and estimated"} under on_disconnect ${onDisconnect}`, async (t) => {
      const relay = await start(t);
      const key = await relay.mint();
      const policy = { scope: "app_key", scope_id: "my-app", on_disconnect: onDisconnect };
      assert.equal((await relay.admin("/admin/policies", { body: policy })).status, 201);
      const id = await budget(relay, { limit_micro_usd: 1_000_000 });
      const call = open(relay.url, {
        headers: withToken(key, onDisconnect === "drain" ? "paced:12:20" : "stall:6"),
        body: { ...question, stream: true },
      });
      await readUntil(await begun(call), (text) => eventsIn(text) >= 4);
      assert.ok((await standing(relay, id)).held > 0);
      call.destroy();
      await relay.simulator.until(({ open: running }) => running === 0);
      const { answered, aborted } = relay.simulator.counters();
      assert.deepEqual([answered, aborted], onDisconnect === "drain" ? [1, 0] : [0, 1]);
      const { spent } = await released(relay, id);
      const billed = billedBy(relay.simulator).microUsd;
      assert.ok(
        onDisconnect === "drain" ? spent === billed : spent >= billed,
        `${spent} ${billed}`,
      );
      const { body } = await relay.admin("/admin/usage/requests?limit=1");
      const { accuracy, ending, cost_micro_usd: cost } = body.data[0];
      assert.equal(accuracy, onDisconnect === "drain" ? "measured" : "estimated");
      assert.deepEqual([ending, cost], ["client_left", spent]);
    });
  }

  it("before its answer began is drained too, once upstream has the request", async (t) => {
    const relay = await start(t);
    const key = await relay.mint();
    await relay.admin("/admin/policies", { body: { scope: "relay", on_disconnect: "drain" } });
    const id = await budget(relay, { limit_micro_usd: 1_000_000 });
    const call = open(relay.url, { headers: withToken(key, "slow-start:300"), body: question });
    await relay.simulator.until(({ requests }) => requests === 1);
    call.destroy();
    await relay.simulator.until(({ answered }) => answered === 1);
    const { spent } = await released(relay, id);
    assert.equal(spent, billedBy(relay.simulator).microUsd);
    assert.ok(spent > 0);
  });
});

describe("while requests run, a budget", () => {
  const running = async (t: TestContext) => {
    const relay = await start(t);
    const token = await relay.bootstrap();
    const { cost } = await costOfOne(relay, token);
    const worst = await worstCase(relay, token, "usd");
    const end = async (answer: IncomingMessage, call: { destroy(): void }): Promise<void> => {
      await readUntil(answer, (text) => eventsIn(text) === 6);
      call.destroy();
      await relay.simulator.until(({ openStreams }) => openStreams === 0);
    };
    return { relay, token, cost, worst, end };
  };

  it("that is lowered refuses the next, and never goes below nothing", async (t) => {
    const { relay, token, worst } = await running(t);
    const id = await budget(relay, { limit_micro_usd: 10 * worst });
    const answer = await stalled(relay, token);
    const path = `/admin/budgets/${id}`;
    await relay.admin(path, { method: "PATCH", body: { limit_micro_usd: 1 } });
    const now = await standing(relay, id);
    assert.ok(now.held > 0);
    assert.equal(now.left, 0);
    assertRefused(await ask(relay, token), overBudget(/of \$0\.000001 has \$0\.000000 left \(\$/));
    answer.destroy();
    await relay.simulator.until(({ openStreams }) => openStreams === 0);
    assert.ok((await released(relay, id)).spent > 1);
    await relay.admin(path, { method: "PATCH", body: { limit_micro_usd: 10 * worst } });
    assert.equal((await ask(relay, token)).status, 200);
  });

  it("whose window changes goes on counting what they hold and spend", async (t) => {
    const { relay, token, worst } = await running(t);
    const id = await budget(relay, { limit_micro_usd: 10 * worst, window: "day" });
    const { spent: before } = await standing(relay, id);
    const answer = await stalled(relay, token);
    const { held } = await standing(relay, id);
    const body = { window: { rolling_hours: 5 } };
    await relay.admin(`/admin/budgets/${id}`, { method: "PATCH", body });
    assert.deepEqual(
      [(await standing(relay, id)).held, (await standing(relay, id)).spent],
      [held, before],
    );
    answer.destroy();
    await relay.simulator.until(({ openStreams }) => openStreams === 0);
    assert.ok((await released(relay, id)).spent > before);
  });

  it("that is removed and set again counts each of them once at most, and all after a restart", async (t) => {
    const { relay, token, worst } = await running(t);
    const first = await budget(relay, { limit_micro_usd: 10 * worst });
    const { spent: before } = await standing(relay, first);
    const answer = await stalled(relay, token);
    await remove(relay, first);
    const second = await budget(relay, { limit_micro_usd: 10 * worst });
    assert.equal((await standing(relay, second)).spent, before);
    answer.destroy();
    await relay.simulator.until(({ openStreams }) => openStreams === 0);
    let total = 0;
    for (let requests = 0; requests < 2; ) {
      const { totals } = (await relay.admin("/admin/usage")).body;
      requests = totals.requests;
      total = totals.cost_micro_usd;
    }
    const { spent } = await released(relay, second);
    assert.ok(spent >= before && spent <= total, `${spent} of ${total}`);
    await relay.close();
    const again = await start(t, { dataDir: relay.dataDir });
    assert.equal((await standing(again, second)).spent, total);
  });
});

describe("after a restart", () => {
  it("a budget has spent what it had", async (t) => {
    const first = await startInside({ env: generous });
    t.after(() => first.remove().catch(() => undefined));
    await createOwners(first, "lab", "ann");
    const key = await first.mint({ label: "anns-app", user_id: "ann" });
    const scopes = [
      { scope: "relay", limit_micro_usd: 5_000_000 },
      { scope: "organization", scope_id: "lab", limit_tokens: 5_000_000, window: "day" },
      { scope: "user", scope_id: "ann", limit_micro_usd: 5_000_000, window: "week" },
      {
        scope: "app_key",
        scope_id: "anns-app",
        limit_micro_usd: 5_000_000,
        window: { rolling_hours: 5 },
      },
      { scope: "session", scope_id: "*", limit_tokens: 5_000_000 },
    ];
    const ids: string[] = [];
    for (const each of scopes) {
      ids.push(await budget(first, each));
    }
    for (let asked = 0; asked < 3; asked += 1) {
      assert.equal((await ask(first, key, { session: "s-1" })).status, 200);
    }
    const text = "You are a patient teacher. ".repeat(600);
    for (const ttl of ["5m", "1h", "1h"]) {
      const system = [
        { type: "text", text: ttl + text, cache_control: { type: "ephemeral", ttl } },
      ];
      const changes = { model: "claude-sonnet-4-5", system };
      assert.equal((await ask(first, key, { session: "s-1", changes })).status, 200);
    }
    const all = (relay: InsideRelay) =>
      Promise.all(
        ids.map(async (id, index) => {
          const query = scopes[index]?.scope === "session" ? "?session_id=s-1" : "";
          const { spent, held, left } = await released(relay, id, query);
          return { spent, held, left };
        }),
      );
    const before = await all(first);
    assert.ok(before.every(({ spent }) => spent > 0));
    await first.close();
    const again = await startInside({ env: generous, dataDir: first.dataDir });
    t.after(() => again.remove());
    assert.deepEqual(await all(again), before);
  });
});
