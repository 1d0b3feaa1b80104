/** Limits in Anthropic's terms, on each level and on all at once. The clock moves only when told. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { startHandUpstream } from "./harness/hand-upstream.ts";
import { begun, eventsIn, open, readUntil, withToken } from "./harness/http.ts";
import { type Answer, type InsideRelay, question, startInside } from "./harness/inside.ts";
import { createOwners } from "./harness/owners.ts";
import { assertRefused, invalid, type Refused } from "./harness/refused.ts";

type Env = Readonly<Record<string, string>>;

const generous = {
  RATE_LIMIT_MAX: "1000000",
  PER_KEY_RPM: "1000000",
  PER_KEY_DAILY: "none",
  GLOBAL_CONCURRENCY: "100000",
};

const start = async (t: TestContext, env: Env = {}): Promise<InsideRelay> => {
  const relay = await startInside({ env: { ...generous, ...env } });
  t.after(() => relay.remove());
  return relay;
};

/** A relay with an organization, its user, her app key and her device, and a key of nobody's. */
const startOwned = async (t: TestContext, env: Env = {}) => {
  const relay = await start(t, env);
  await createOwners(relay, "lab", "ann");
  const key = await relay.mint({ label: "anns-app", user_id: "ann" });
  const device = await relay.bootstrap("anns-laptop");
  const body = { user_id: "ann" };
  await relay.admin("/admin/devices/anns-laptop", { method: "PATCH", body });
  const other = await relay.mint({ label: "other-app" });
  return { relay, key, device, other };
};

type Rules = Readonly<Record<string, unknown>>;

const policy = async (relay: InsideRelay, rules: Rules): Promise<string> => {
  const answer = await relay.admin("/admin/policies", { body: rules });
  assert.equal(answer.status, 201, answer.text);
  return answer.body.id;
};

/** Each level, and whom of `startOwned` it binds. */
const levels: readonly [where: Rules, word: string, bound: ("key" | "device" | "other")[]][] = [
  [{ scope: "app_key", scope_id: "anns-app" }, "app key", ["key"]],
  [{ scope: "device", scope_id: "anns-laptop" }, "device", ["device"]],
  [{ scope: "user", scope_id: "ann" }, "user", ["key", "device"]],
  [{ scope: "organization", scope_id: "lab" }, "organization", ["key", "device"]],
  [{ scope: "relay" }, "relay", ["key", "device", "other"]],
];

const limited = (says: RegExp, retry?: "false"): Refused => ({
  status: 429,
  type: "rate_limit_error",
  says,
  ...(retry !== undefined && { retry }),
});

const header = ({ headers }: Answer, name: string): string | null =>
  headers.get(`anthropic-ratelimit-${name}`);

const count = (relay: InsideRelay): number => relay.simulator.counters().requests;

const statuses = async (times: number, ask: () => Promise<Answer>): Promise<number[]> => {
  const seen = [];
  for (let asked = 0; asked < times; asked += 1) {
    seen.push((await ask()).status);
  }
  return seen;
};

/** What is no model call. */
const lists = (relay: InsideRelay, token: string): Promise<Answer> =>
  relay.call("/v1/models", { token, headers: { "anthropic-version": "2023-06-01" } });

describe("requests per minute", () => {
  for (const [where, word, bound] of levels) {
    it(`of the ${word} bind all below it together, and nobody else`, async (t) => {
      const { relay, ...tokens } = await startOwned(t);
      await policy(relay, { ...where, requests_per_minute: 4 });
      for (let asked = 0; asked < 4; asked += 1) {
        const answer = await relay.ask(tokens[bound[asked % bound.length] ?? "key"]);
        assert.equal(answer.status, 200);
        assert.equal(header(answer, "requests-limit"), "4");
        assert.equal(header(answer, "requests-remaining"), String(3 - asked));
        const reset = new Date(relay.now() + (asked + 1) * 15_000).toISOString();
        assert.equal(header(answer, "requests-reset"), reset);
      }
      for (const who of ["key", "device", "other"] as const) {
        const answer = await relay.ask(tokens[who]);
        if (bound.includes(who)) {
          assertRefused(answer, limited(new RegExp(`^This ${word}'s limit \\(4 per 60 s\\)`)));
          assert.equal(answer.headers.get("retry-after"), "15");
          assert.equal(header(answer, "requests-limit"), "4");
          assert.equal(header(answer, "requests-remaining"), "0");
        } else {
          assert.equal(answer.status, 200);
        }
      }
      const who = tokens[bound[0] ?? "key"];
      relay.advance(14_999);
      assert.equal((await relay.ask(who)).headers.get("retry-after"), "1");
      relay.advance(1);
      assert.deepEqual(await statuses(2, () => relay.ask(who)), [200, 429]);
    });
  }

  it("of several levels all hold: the tightest is told, and a refusal takes nothing of the others", async (t) => {
    const { relay, key, device } = await startOwned(t);
    await policy(relay, { scope: "relay", requests_per_minute: 60 });
    await policy(relay, { scope: "organization", scope_id: "lab", requests_per_minute: 30 });
    await policy(relay, { scope: "app_key", scope_id: "anns-app", requests_per_minute: 3 });
    assert.deepEqual(await statuses(10, () => relay.ask(key)), [
      200,
      200,
      200,
      ...Array(7).fill(429),
    ]);
    const answer = await relay.ask(device);
    assert.equal(header(answer, "requests-limit"), "30");
    assert.equal(header(answer, "requests-remaining"), "26");
  });

  it("count every request: also one whose body is refused, and lists and counting", async (t) => {
    const { relay, key } = await startOwned(t);
    await policy(relay, { scope: "relay", requests_per_minute: 5 });
    const post = (body: string) => relay.call("/v1/messages", { token: key, body });
    assertRefused(await post("{"), invalid(/JSON/));
    assert.equal((await post('{"model":"a","model":"b"}')).status, 400);
    assert.equal((await relay.call("/v1/models", { token: key })).status, 200);
    const { max_tokens: _, ...countable } = question;
    const counting = {
      token: key,
      headers: { "anthropic-version": "2023-06-01" },
      body: countable,
    };
    assert.equal((await relay.call("/v1/messages/count_tokens", counting)).status, 200);
    assert.equal((await relay.ask(key)).status, 200);
    const before = count(relay);
    assertRefused(await post("{"), limited(/^This relay's limit/));
    assert.equal((await relay.call("/v1/models", { token: key })).status, 429);
    assert.equal((await relay.ask(key)).status, 429);
    assert.equal(count(relay), before, "upstream is not asked");
  });
});

describe("tokens per minute", () => {
  /** What the small question is held for: a token for four bytes. */
  const held = Math.ceil(Buffer.byteLength(JSON.stringify(question)) / 4);

  for (const [where, word, bound] of levels) {
    it(`of input, of the ${word}, are held at an estimate and settled to upstream's count`, async (t) => {
      const { relay, ...tokens } = await startOwned(t);
      await policy(relay, { ...where, input_tokens_per_minute: 600 });
      const who = tokens[bound.at(-1) ?? "key"];
      const first = await relay.ask(who);
      assert.equal(header(first, "input-tokens-limit"), "600");
      assert.equal(header(first, "input-tokens-remaining"), String(600 - held));
      assert.equal(header(first, "tokens-limit"), "600", "the tightest of both");
      const used: number = first.body.usage.input_tokens;
      const second = await relay.ask(tokens[bound[0] ?? "key"]);
      assert.equal(header(second, "input-tokens-remaining"), String(600 - used - held));
      const reset = relay.now() + (used + held) * 100;
      assert.equal(Date.parse(header(second, "input-tokens-reset") ?? ""), reset);
      // 600 in a minute are 10 a second; a body of 4 * 590 bytes has to wait for what is missing.
      const long = { messages: [{ role: "user", content: "x".repeat(4 * 590 - 4 * held + 10) }] };
      const refused = await relay.ask(who, long);
      const says = new RegExp(`^This ${word}'s limit \\(600 input tokens per 60 s\\)`);
      assertRefused(refused, limited(says));
      const wait = Number(refused.headers.get("retry-after"));
      assert.ok(wait >= 1 && wait <= 60);
      relay.advance((wait - 1) * 1000);
      assert.equal((await relay.ask(who, long)).status, 429, "the wait is exact");
      relay.advance(1000);
      assert.equal((await relay.ask(who, long)).status, 200);
    });
  }

  it("of input do not count what is read from the cache", async (t) => {
    const { relay, key } = await startOwned(t);
    await policy(relay, { scope: "relay", input_tokens_per_minute: 100_000 });
    const text = "You are a patient teacher. ".repeat(900);
    const system = [{ type: "text", text, cache_control: { type: "ephemeral" } }];
    const ask = () => relay.ask(key, { model: "claude-sonnet-4-5", system });
    const written = (await ask()).body.usage;
    assert.ok(written.cache_creation_input_tokens > 1000);
    const between = Number(header(await relay.ask(key), "input-tokens-remaining")) + held;
    assert.equal(100_000 - between, written.input_tokens + written.cache_creation_input_tokens);
    const read = (await ask()).body.usage;
    assert.ok(read.cache_read_input_tokens > 1000 && read.cache_creation_input_tokens === 0);
    const after = Number(header(await relay.ask(key), "input-tokens-remaining")) + held;
    assert.ok(between - after < 50, `${between - after}`);
  });

  it("of output are held at max_tokens and settled to what was said", async (t) => {
    const { relay, key } = await startOwned(t);
    await policy(relay, { scope: "user", scope_id: "ann", output_tokens_per_minute: 600 });
    const first = await relay.ask(key, { max_tokens: 500 });
    assert.equal(header(first, "output-tokens-limit"), "600");
    assert.equal(header(first, "output-tokens-remaining"), "100");
    assert.equal(header(first, "tokens-remaining"), "100");
    const said: number = first.body.usage.output_tokens;
    const second = await relay.ask(key, { max_tokens: 64 });
    assert.equal(header(second, "output-tokens-remaining"), String(600 - said - 64));
    const refused = await relay.ask(key, { max_tokens: 600 });
    assertRefused(refused, limited(/^This user's limit \(600 output tokens per 60 s\)/));
    assert.equal(refused.headers.get("retry-after"), String(Math.ceil((2 * said) / 10)));
    assert.equal(header(refused, "tokens-limit"), "600");
    relay.advance(60_000);
    // More than the whole limit: it must not shut the caller out for ever.
    assert.equal((await relay.ask(key, { max_tokens: 64_000 })).status, 200);
  });
});

describe("concurrency", () => {
  const stalled = async (relay: InsideRelay, token: string) => {
    const call = open(relay.url, {
      headers: withToken(token, "stall:4"),
      body: { ...question, stream: true },
    });
    const answer = await begun(call);
    if (answer.statusCode === 200) {
      await readUntil(answer, (text) => eventsIn(text) === 4);
    }
    return { call, answer };
  };

  for (const [where, word, bound] of levels) {
    it(`of the ${word} is of all below it together, and is freed by whoever leaves`, async (t) => {
      const { relay, ...tokens } = await startOwned(t);
      await policy(relay, { ...where, concurrency: 2 });
      const who = (index: number): string => tokens[bound[index % bound.length] ?? "key"];
      const running = [await stalled(relay, who(0)), await stalled(relay, who(1))];
      const refused = await relay.ask(who(0));
      assertRefused(refused, limited(new RegExp(`^This ${word} has 2 calls running`)));
      assert.equal(refused.headers.get("retry-after"), "1");
      for (const other of (["key", "device", "other"] as const).filter(
        (one) => !bound.includes(one),
      )) {
        assert.equal((await relay.ask(tokens[other])).status, 200);
      }
      assert.equal((await lists(relay, who(0))).status, 200);
      running[0]?.call.destroy();
      await relay.simulator.until(({ openStreams }) => openStreams === 1);
      assert.deepEqual(await statuses(3, () => relay.ask(who(0))), [200, 200, 200]);
      running[1]?.call.destroy();
    });
  }

  it("is never exceeded, and never leaks, whatever becomes of the calls", async (t) => {
    const { relay, key } = await startOwned(t);
    await policy(relay, { scope: "relay", concurrency: 3 });
    const scenarios = ["", "529", "400", "close-mid-stream:4", "error-after-start:3", "fast"];
    for (let round = 0; round < 8; round += 1) {
      const calls = Array.from({ length: 20 }, async (_, index) => {
        const scenario = scenarios[(index + round) % scenarios.length] ?? "";
        const headers = withToken(key, scenario);
        const body = index % 7 === 0 ? "{" : { ...question, stream: index % 2 === 0 };
        const call = open(relay.url, { headers, body });
        const answer = await begun(call).catch(() => null);
        if (index % 3 === 0) {
          call.destroy();
        } else {
          await new Promise((resolve) => answer?.once("close", resolve).resume());
        }
      });
      await Promise.all(calls);
      await relay.admin("/admin/circuit-breaker/reset", { method: "POST" });
    }
    await relay.simulator.until(({ open: running }) => running === 0);
    const three = await Promise.all([0, 1, 2].map(() => stalled(relay, key)));
    assert.deepEqual(
      three.map(({ answer }) => answer.statusCode),
      [200, 200, 200],
    );
    assert.equal((await relay.ask(key)).status, 429);
    for (const { call } of three) {
      call.destroy();
    }
  });
});

describe("requests per day", () => {
  for (const [where, word, bound] of levels) {
    it(`of the ${word} are counted by UTC day, and after a restart`, async (t) => {
      const { relay, ...tokens } = await startOwned(t);
      await policy(relay, { ...where, requests_per_day: 3 });
      const who = (index: number): string => tokens[bound[index % bound.length] ?? "key"];
      assert.equal((await relay.ask(who(0))).status, 200);
      assert.equal((await relay.ask(who(1))).status, 200);
      assert.equal((await lists(relay, who(0))).status, 200);
      await relay.close();
      const again = await startInside({ env: generous, dataDir: relay.dataDir, now: relay.now() });
      t.after(() => again.close());
      assert.equal((await again.ask(who(2))).status, 200);
      const refused = await again.ask(who(0));
      const says = new RegExp(`^This ${word}'s limit of 3 calls a day \\(UTC\\) is used up`);
      assertRefused(refused, limited(says, "false"));
      const midnight = Date.parse("2026-11-22T00:00:00Z");
      const wait = Math.ceil((midnight - again.now()) / 1000);
      assert.equal(refused.headers.get("retry-after"), String(wait));
      again.advance(midnight - again.now() - 1);
      assert.equal((await again.ask(who(0))).status, 429);
      again.advance(1);
      assert.equal((await again.ask(who(0))).status, 200);
    });
  }
});

describe("upstream's own rate headers", () => {
  const told = async (t: TestContext, theirs: Readonly<Record<string, string>>) => {
    const upstream = await startHandUpstream();
    t.after(() => upstream.close());
    const { relay, key } = await startOwned(t, { ANTHROPIC_BASE_URL: upstream.url });
    await policy(relay, {
      scope: "relay",
      requests_per_minute: 10,
      output_tokens_per_minute: 1000,
    });
    const asked = relay.ask(key);
    const response = await upstream.next();
    response.writeHead(200, { "content-type": "application/json", ...theirs });
    response.end(
      '{"id":"m","type":"message","role":"assistant","model":"claude-haiku-4-5","content":[],"usage":{"input_tokens":1,"output_tokens":1}}',
    );
    return asked;
  };

  it("stay as they are where they are tighter than the caller's", async (t) => {
    const theirs = {
      "anthropic-ratelimit-requests-limit": "50",
      "anthropic-ratelimit-requests-remaining": "2",
      "anthropic-ratelimit-requests-reset": "2026-11-21T12:00:30Z",
    };
    const { headers } = await told(t, theirs);
    for (const [name, value] of Object.entries(theirs)) {
      assert.equal(headers.get(name), value);
    }
    assert.equal(headers.get("anthropic-ratelimit-output-tokens-limit"), "1000");
    assert.equal(headers.get("anthropic-ratelimit-tokens-limit"), "1000");
    assert.equal(headers.get("anthropic-ratelimit-input-tokens-limit"), null);
  });

  it("give way where the caller's are tighter, and others are not touched", async (t) => {
    const { headers } = await told(t, {
      "anthropic-ratelimit-requests-limit": "50",
      "anthropic-ratelimit-requests-remaining": "49",
      "anthropic-ratelimit-requests-reset": "2026-11-21T12:00:30Z",
      "anthropic-ratelimit-unified-status": "allowed",
    });
    assert.equal(headers.get("anthropic-ratelimit-requests-limit"), "10");
    assert.equal(headers.get("anthropic-ratelimit-requests-remaining"), "9");
    assert.equal(headers.get("anthropic-ratelimit-requests-reset"), "2026-11-21T12:00:06.250Z");
    assert.equal(headers.get("anthropic-ratelimit-unified-status"), "allowed");
  });

  it("of its 429 reach the caller unchanged", async (t) => {
    const { relay, key } = await startOwned(t);
    await policy(relay, { scope: "relay", requests_per_minute: 3 });
    const answer = await relay.call("/v1/messages", {
      token: key,
      headers: { "anthropic-version": "2023-06-01", "x-simulator-scenario": "429:17" },
      body: question,
    });
    assert.equal(answer.status, 429);
    assert.equal(answer.headers.get("retry-after"), "17");
    assert.equal(header(answer, "requests-limit"), "1000000");
    assert.equal(header(answer, "requests-remaining"), "0");
  });
});

describe("models", () => {
  for (const [where, , bound] of levels) {
    it(`can be narrowed on the level ${where["scope"]}, for asking, counting and both lists`, async (t) => {
      const { relay, ...tokens } = await startOwned(t);
      await policy(relay, { ...where, models: ["claude-haiku-*"] });
      const get = (path: string, token: string) =>
        relay.call(path, { token, headers: { "anthropic-version": "2023-06-01" } });
      for (const who of ["key", "device", "other"] as const) {
        const token = tokens[who];
        const isBound = bound.includes(who);
        const denied = isBound ? 400 : 200;
        assert.equal((await relay.ask(token)).status, 200);
        assert.equal((await relay.ask(token, { model: "claude-sonnet-4-5" })).status, denied);
        assert.equal((await get("/v1/models/claude-haiku-4-5", token)).status, 200);
        assert.equal((await get("/v1/models/claude-sonnet-4-5", token)).status, denied);
        const list = (await get("/v1/models?limit=1000", token)).body.data;
        const names: string[] = list.map(({ id }: { id: string }) => id);
        assert.ok(names.length > 0);
        assert.equal(
          names.every((name) => name.startsWith("claude-haiku-")),
          isBound,
        );
      }
    });
  }

  it("must be allowed by every level, for fallbacks too", async (t) => {
    const { relay, key } = await startOwned(t, {
      ALLOWED_MODELS: "claude-haiku-*,claude-sonnet-*",
    });
    await policy(relay, {
      scope: "organization",
      scope_id: "lab",
      models: ["claude-haiku-*", "claude-opus-*"],
    });
    assert.equal((await relay.ask(key)).status, 200);
    assertRefused(
      await relay.ask(key, { model: "claude-sonnet-4-5" }),
      invalid(/claude-sonnet-4-5/),
    );
    assertRefused(await relay.ask(key, { model: "claude-opus-4-5" }), invalid(/claude-opus-4-5/));
    const fallbacks = [{ model: "claude-sonnet-4-5" }];
    assertRefused(await relay.ask(key, { fallbacks }), invalid(/claude-sonnet-4-5/));
    await policy(relay, { scope: "user", scope_id: "ann", models: [] });
    assertRefused(await relay.ask(key), invalid(/claude-haiku-4-5/));
    assert.deepEqual((await relay.call("/v1/models", { token: key })).body.data, []);
  });
});
