import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type AppKeyId, epochMs, type RequestId } from "@claude-relay/contract";
import { ActiveExchanges } from "./active-exchanges.ts";
import { createPageLine, type PageLineDeps } from "./page-line.ts";
import type { Page, PageFetch, PageRequest } from "./page-ports.ts";
import { Refusal } from "./refusal.ts";
import { caller as device } from "./test-setup.ts";
import type { AppKeyCaller, Intent, Outcome } from "./types.ts";

const page: Page = {
  status: 404,
  finalUrl: "https://example.com/",
  truncated: false,
  html: "<p>no</p>",
  contentType: "text/html",
};

const app: AppKeyCaller = {
  kind: "app_key",
  id: "my-app" as AppKeyId,
  userId: null,
  organizationId: null,
  policy: {
    models: [],
    requestsPerMinute: 1,
    requestsPerDay: 1,
    concurrency: 1,
    doors: ["fetch"],
  },
};

const setUp = (fetchPage: PageFetch, changes: Partial<PageLineDeps> = {}) => {
  const time = { ms: 1000 };
  const steps: string[] = [];
  const intents: Intent[] = [];
  const outcomes: Outcome[] = [];
  const left = new AbortController();
  const decision = {
    allowed: true,
    limit: 1,
    windowMs: 60_000,
    remaining: 0,
    resetMs: 0,
    retryAfterMs: 0,
  };
  const active = new ActiveExchanges();
  const line = createPageLine({
    authenticate: () => {
      steps.push("authenticate");
      return app;
    },
    limiter: {
      take: (key, rate) => {
        steps.push(`rate ${key} ${rate?.max}`);
        return decision;
      },
      peek: () => decision,
    },
    rate: { max: 30, windowMs: 60_000 },
    fetchPage: (request) => {
      steps.push("fetch");
      return fetchPage(request);
    },
    ledger: {
      open: async (intent) => {
        steps.push("open");
        intents.push(intent);
      },
      progress: () => assert.fail("a page has no progress"),
      close: (outcome) => void outcomes.push(outcome),
    },
    active,
    clock: { now: () => epochMs(1_790_000_000_000), monotonicMs: () => time.ms },
    log: {
      debug: () => {},
      info: () => {},
      warn: () => {},
      error: () => {},
      isLevelEnabled: () => false,
    },
    onRefused: (error) => void steps.push(`refused ${(error as Error).message}`),
    ...changes,
  });
  const request: PageRequest = {
    url: "https://example.com/SECRET",
    maxBytes: 5,
    strip: true,
    format: "html",
    signal: left.signal,
  };
  return {
    time,
    steps,
    intents,
    outcomes,
    active,
    left,
    walk: () =>
      line({
        id: "req_01M7YZMHQTKWWKPHRQEMWPZDY6" as RequestId,
        headers: {},
        clientIp: "127.0.0.1",
        readRequest: async () => {
          steps.push("read");
          return request;
        },
      }),
  };
};

describe("a page fetch", () => {
  it("is fetched in its caller's name, whose places are counted", async () => {
    const names: unknown[] = [];
    const fetchPage: PageFetch = async ({ callerKey }) => {
      names.push(callerKey);
      return page;
    };
    await setUp(fetchPage).walk();
    await setUp(fetchPage, { authenticate: () => device }).walk();
    assert.deepEqual(names, ["app_key:my-app", `device:${device.id}`]);
  });

  it("walks the line: known, let in by its own limit, read, written down, and only then fetched", async () => {
    const { walk, steps, time, outcomes } = setUp(async () => {
      time.ms += 42;
      return page;
    });
    assert.equal(await walk(), page);
    assert.deepEqual(steps, [
      "authenticate",
      "rate app_key:my-app:30 30",
      "read",
      "authenticate",
      "open",
      "fetch",
    ]);
    assert.deepEqual(
      outcomes.map(({ status, ending, accuracy, costMicroUsd, durationMs, errorType }) => ({
        status,
        ending,
        accuracy,
        costMicroUsd,
        durationMs,
        errorType,
      })),
      [
        {
          status: 200,
          ending: "complete",
          accuracy: "free",
          costMicroUsd: 0,
          durationMs: 42,
          errorType: null,
        },
      ],
    );
  });

  it("leaves a row that names who and what, and nothing of the page", async () => {
    const { walk, intents, outcomes } = setUp(async () => page);
    await walk();
    const [intent] = intents;
    assert.deepEqual(
      [intent?.operation, intent?.callerKind, intent?.callerId, intent?.upstream, intent?.model],
      ["fetch", "app_key", "my-app", "web", null],
    );
    assert.equal(intent?.fallback.accuracy, "free");
    assert.doesNotMatch(JSON.stringify([intents, outcomes]), /example|SECRET/);
  });

  it("that fails leaves a row with the status its caller sees, and the failure goes on", async () => {
    const table: [Error, number, string][] = [
      [new Refusal("invalid_request", "no"), 400, "invalid_request_error"],
      [new Refusal("upstream_unreachable", "gone"), 502, "api_error"],
      [new Refusal("upstream_timeout", "slow"), 504, "timeout_error"],
      [new Refusal("rate_limited", "many"), 429, "rate_limit_error"],
      [new TypeError("a bug"), 500, "api_error"],
    ];
    for (const [error, status, type] of table) {
      const { walk, outcomes, steps } = setUp(() => Promise.reject(error));
      await assert.rejects(walk(), error);
      const [outcome] = outcomes;
      assert.deepEqual(
        [outcome?.status, outcome?.errorType, outcome?.ending],
        [status, type, "complete"],
      );
      assert.equal(outcomes.length, 1);
      assert.equal(steps.at(-1), `refused ${error.message}`);
    }
  });

  it("whose caller leaves is aborted, and its row says so", async () => {
    const { walk, left, outcomes } = setUp(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
          left.abort(new Error("the caller left"));
        }),
    );
    await assert.rejects(walk(), /the caller left/);
    const [outcome] = outcomes;
    assert.deepEqual([outcome?.status, outcome?.ending], [499, "client_left"]);
  });

  it("is refused before anything is read or written, when it may not be made", async () => {
    const closed = setUp(async () => page, {
      authenticate: () => ({ ...app, policy: { ...app.policy, doors: ["messages", "complete"] } }),
    });
    await assert.rejects(closed.walk(), { code: "forbidden", message: /\/v1\/fetch/ });
    const none = setUp(async () => page, {
      authenticate: () => ({ ...app, policy: { ...app.policy, doors: [] } }),
    });
    await assert.rejects(none.walk(), { code: "forbidden" });
    const full = {
      allowed: false,
      limit: 30,
      windowMs: 60_000,
      remaining: 0,
      resetMs: 2000,
      retryAfterMs: 1500,
    };
    const limited = setUp(async () => page, {
      limiter: { take: () => full, peek: () => full },
    });
    await assert.rejects(limited.walk(), (error: Refusal) => {
      assert.deepEqual([error.code, error.details.retryAfterSeconds], ["rate_limited", 2]);
      return true;
    });
    for (const { steps, intents } of [closed, none, limited]) {
      assert.ok(!steps.includes("read") && !steps.includes("fetch"));
      assert.deepEqual(intents, []);
    }
  });

  it("is not made when it cannot be written down", async () => {
    const { walk, steps, outcomes } = setUp(async () => page, {
      ledger: {
        open: () => Promise.reject(new Refusal("storage_unavailable", "disk full")),
        progress: () => {},
        close: () => assert.fail("nothing was opened"),
      },
    });
    await assert.rejects(walk(), { code: "storage_unavailable" });
    assert.ok(!steps.includes("fetch"));
    assert.deepEqual(outcomes, []);
  });

  it("is waited for by a drain, and ended when the drain may wait no longer", async () => {
    const { walk, active, outcomes } = setUp(
      ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
          assert.equal(active.size, 1);
          setImmediate(() => active.abandonAll());
        }),
    );
    await assert.rejects(walk(), { code: "draining" });
    assert.equal(active.size, 0);
    assert.deepEqual(
      outcomes.map(({ status, ending }) => [status, ending]),
      [[503, "complete"]],
    );
  });

  it("is for devices too, in a bucket of their own", async () => {
    const { walk, steps } = setUp(async () => page, { authenticate: () => device });
    await walk();
    assert.equal(steps[0], "rate device:test-device-0001:30 30");
  });
});
