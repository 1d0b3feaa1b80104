import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { ask, post, startSimulator } from "./test-setup.ts";

// biome-ignore lint/suspicious/noExplicitAny: a test looks into many shapes
type Body = any;

const adminKey = "sk-ant-admin-of-the-test-0001";
const usage = "/v1/organizations/usage_report/messages";
const cost = "/v1/organizations/cost_report";
const week = "starting_at=2026-11-15T00:00:00Z&ending_at=2026-11-22T00:00:00Z";

const start = async (t: TestContext, options = {}) => {
  const time = { ms: Date.parse("2026-11-20T12:00:00Z") };
  const { simulator, baseURL } = await startSimulator(t, { now: () => time.ms, ...options });
  const get = async (path: string, key: string | null = adminKey) => {
    const response = await fetch(`${baseURL}${path}`, {
      headers: { "anthropic-version": "2023-06-01", ...(key !== null && { "x-api-key": key }) },
    });
    return { status: response.status, body: (await response.json()) as Body };
  };
  return { simulator, baseURL, time, get };
};

describe("the usage report", () => {
  it("has what was billed, by day and model, in daily buckets that may be empty", async (t) => {
    const { simulator, baseURL, time, get } = await start(t);
    await post(baseURL, ask("first"));
    await post(baseURL, ask("second"));
    time.ms += 86_400_000;
    await post(baseURL, { ...ask("third"), model: "claude-opus-5-5" });
    const { status, body } = await get(`${usage}?${week}&group_by[]=model`);
    assert.equal(status, 200);
    assert.equal(body.data.length, 7);
    assert.deepEqual([body.has_more, body.next_page], [false, null]);
    const filled = body.data.filter((bucket: Body) => bucket.results.length > 0);
    assert.deepEqual(
      filled.map(({ starting_at, ending_at, results }: Body) => [
        starting_at,
        ending_at,
        results[0].model,
      ]),
      [
        ["2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z", "claude-haiku-4-5-20251001"],
        ["2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z", "claude-opus-5-5"],
      ],
    );
    const bills = [...simulator.bills.values()].slice(0, 2);
    const sum = (field: "input_tokens" | "output_tokens") =>
      bills.reduce((total, bill) => total + bill.usage[field], 0);
    assert.equal(filled[0].results[0].uncached_input_tokens, sum("input_tokens"));
    assert.equal(filled[0].results[0].output_tokens, sum("output_tokens"));
  });

  it("sums over what it is not grouped by", async (t) => {
    const { baseURL, get } = await start(t);
    await post(baseURL, ask("first"));
    await post(baseURL, { ...ask("second"), model: "claude-opus-5-5" });
    const { body } = await get(`${usage}?${week}`);
    const results = body.data.flatMap((bucket: Body) => bucket.results);
    assert.equal(results.length, 1);
    assert.equal(results[0].model, null);
    const { body: tiers } = await get(`${usage}?${week}&group_by[]=model&group_by[]=service_tier`);
    assert.deepEqual(
      tiers.data.flatMap((bucket: Body) => bucket.results.map((one: Body) => one.service_tier)),
      ["standard", "standard"],
    );
  });

  it("comes in pages of at most 31 days, 7 unless told, each naming the next", async (t) => {
    const { get } = await start(t);
    const span = "starting_at=2026-11-01T00:00:00Z&ending_at=2026-11-21T00:00:00Z";
    const days: string[] = [];
    let page: string | null = "";
    let pages = 0;
    while (page !== null) {
      const { body }: Body = await get(
        `${usage}?${span}${page && `&page=${encodeURIComponent(page)}`}`,
      );
      days.push(...body.data.map((bucket: Body) => bucket.starting_at.slice(8, 10)));
      page = body.next_page;
      assert.equal(body.has_more, page !== null);
      pages += 1;
    }
    assert.equal(pages, 3);
    assert.deepEqual(
      days,
      Array.from({ length: 20 }, (_, index) => String(index + 1).padStart(2, "0")),
    );
  });

  it("has nothing of refused requests, and forgets on reset", async (t) => {
    const { simulator, baseURL, get } = await start(t);
    await post(baseURL, ask("no"), { "x-simulator-scenario": "529" });
    const filled = async () =>
      (await get(`${usage}?${week}`)).body.data.flatMap((bucket: Body) => bucket.results).length;
    assert.equal(await filled(), 0);
    await post(baseURL, ask("yes"));
    assert.equal(await filled(), 1);
    simulator.reset();
    assert.equal(await filled(), 0);
  });
});

describe("the cost report", () => {
  it("has the exact cost in cents, by model and kind of token when grouped by description", async (t) => {
    const { simulator, baseURL, get } = await start(t);
    await post(baseURL, ask("first"));
    const [bill] = simulator.bills.values();
    const { body } = await get(`${cost}?${week}&group_by[]=description`);
    const items: Body[] = body.data.flatMap((bucket: Body) => bucket.results);
    const byType = Object.fromEntries(items.map((item) => [item.token_type, item]));
    const { uncached_input_tokens: input, output_tokens: output } = byType;
    // Haiku 4.5: 1 and 5 dollars a million tokens, so 0.0001 and 0.0005 cents each.
    assert.equal(Number(input.amount), (bill?.usage.input_tokens ?? 0) / 10_000);
    assert.equal(Number(output.amount), ((bill?.usage.output_tokens ?? 0) * 5) / 10_000);
    assert.equal(input.currency, "USD");
    assert.equal(input.cost_type, "tokens");
    assert.equal(input.model, "claude-haiku-4-5-20251001");
    assert.equal(input.description, "Claude Haiku 4.5 Usage - Input Tokens");
  });

  it("is one sum a day without grouping", async (t) => {
    const { baseURL, get } = await start(t);
    await post(baseURL, ask("first"));
    const whole = (await get(`${cost}?${week}`)).body.data.flatMap(
      (bucket: Body) => bucket.results,
    );
    const parts = (await get(`${cost}?${week}&group_by[]=description`)).body.data.flatMap(
      (bucket: Body) => bucket.results,
    );
    assert.equal(whole.length, 1);
    assert.deepEqual([whole[0].model, whole[0].description], [null, null]);
    const sum = parts.reduce((total: number, item: Body) => total + Number(item.amount), 0);
    assert.ok(Math.abs(Number(whole[0].amount) - sum) < 1e-9);
  });

  it("leaves priority capacity out, which the usage report has", async (t) => {
    const { baseURL, get } = await start(t);
    await post(baseURL, ask("first"), { "x-simulator-scenario": "usage-heavy" });
    const costs = (await get(`${cost}?${week}&group_by[]=description`)).body.data;
    const types = costs.flatMap((bucket: Body) =>
      bucket.results.map((item: Body) => item.cost_type),
    );
    assert.ok(!types.includes("tokens"), String(types));
    const { body } = await get(`${usage}?${week}&group_by[]=service_tier`);
    const tiers = body.data.flatMap((bucket: Body) => bucket.results);
    assert.deepEqual(
      tiers.map((result: Body) => result.service_tier),
      ["priority"],
    );
  });
});

describe("both reports", () => {
  it("open to an Admin API key alone", async (t) => {
    const { baseURL, get } = await start(t, { acceptKeys: ["sk-ant-api-0001"] });
    for (const path of [usage, cost]) {
      for (const key of ["sk-ant-api-0001", "nonsense"]) {
        const { status, body } = await get(`${path}?${week}`, key);
        assert.equal(status, 401);
        assert.deepEqual(body.error, {
          type: "authentication_error",
          message: "invalid x-api-key",
        });
      }
      assert.equal((await get(`${path}?${week}`, null)).status, 401);
    }
    const messages = await post(baseURL, ask("hi"), { "x-api-key": adminKey });
    assert.equal(messages.status, 401);
  });

  it("take one key or more when told which", async (t) => {
    const { get } = await start(t, { acceptAdminKeys: [adminKey] });
    assert.equal((await get(`${cost}?${week}`)).status, 200);
    assert.equal((await get(`${cost}?${week}`, "sk-ant-admin-another-0001")).status, 401);
  });

  it("refuse what they cannot mean, naming the parameter", async (t) => {
    const { get } = await start(t);
    for (const [query, field] of [
      ["", "starting_at"],
      ["starting_at=yesterday", "starting_at"],
      ["starting_at=2026-11-20", "starting_at"],
      [`${week}&limit=0`, "limit"],
      [`${week}&limit=32`, "limit"],
      [`${week}&bucket_width=1h`, "bucket_width"],
      [`${week}&group_by[]=mood`, "group_by"],
      [`${week}&page=page_AAAA`, "page"],
      [`${week}&page=nonsense`, "page"],
      [`${week}&models[]=x`, "models"],
      ["starting_at=2026-11-20T00:00:00Z&ending_at=2026-11-20T00:00:00Z", "ending_at"],
    ] as const) {
      for (const path of [usage, cost]) {
        const { status, body } = await get(`${path}?${query}`);
        assert.equal(status, 400, query);
        assert.equal(body.error.type, "invalid_request_error");
        assert.ok(body.error.message.startsWith(`${field}`), body.error.message);
      }
    }
  });

  it("fail as the scenario of the request says", async (t) => {
    const { baseURL } = await start(t);
    const response = await fetch(`${baseURL}${cost}?${week}`, {
      headers: {
        "anthropic-version": "2023-06-01",
        "x-api-key": adminKey,
        "x-simulator-scenario": "529",
      },
    });
    assert.equal(response.status, 529);
  });
});
