import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keyTable } from "./key-table.ts";
import { table } from "./table.ts";
import { usageTable } from "./usage-table.ts";

describe("a table", () => {
  it("is as wide as its widest cells, numbers to the right, no trailing spaces", () => {
    assert.deepEqual(
      table(
        ["NAME", "N"],
        [
          ["a", 1],
          ["longer", 1000],
        ],
      ),
      ["NAME       N", "a          1", "longer  1000"],
    );
    assert.deepEqual(table(["NAME", "WHAT"], []), ["NAME  WHAT"]);
  });
});

describe("the table of keys", () => {
  it("shows a dash for the relay's default and lets no control character through", () => {
    const nothing = {
      expires_at: null,
      revoked_at: null,
      last_used_at: null,
      rotated_at: null,
      previous_secret_valid_until: null,
      requests_per_minute: null,
      requests_per_day: 5,
      concurrency: null,
      doors: null,
      user_id: null,
      organization_id: null,
    };
    const [, line] = keyTable([
      {
        ...nothing,
        label: "my\u001b[31m-app",
        status: "active",
        created_at: "2026-11-21T03:07:09.123Z",
        models: ["claude-haiku-*"],
      },
    ]);
    assert.match(
      line ?? "",
      /^my \[31m-app +active +2026-11-21 03:07 +- +- +- +5 +- +- +claude-haiku-\*$/,
    );
  });
});

describe("the table of usage", () => {
  it("has the dearest model first and the sum last", () => {
    const sums = (requests: number, cost: number) => ({
      requests,
      errors: 0,
      input_tokens: 10,
      output_tokens: 20,
      cache_read_input_tokens: 1,
      cache_creation_5m_input_tokens: 2,
      cache_creation_1h_input_tokens: 3,
      cost_micro_usd: cost,
    });
    const lines = usageTable({
      totals: sums(4, 1_500_000),
      groups: [
        { group: { model: null }, ...sums(1, 0) },
        { group: { model: "claude-opus-5-5" }, ...sums(3, 1_500_000) },
      ],
    });
    assert.deepEqual(
      lines?.map((line) => line.split(/ {2,}/)),
      [
        ["MODEL", "REQUESTS", "ERRORS", "INPUT", "OUTPUT", "CACHE READ", "CACHE WRITE", "COST"],
        ["claude-opus-5-5", "3", "0", "10", "20", "1", "5", "$1.5000"],
        ["(no model)", "1", "0", "10", "20", "1", "5", "$0.0000"],
        ["all", "4", "0", "10", "20", "1", "5", "$1.5000"],
      ],
    );
  });

  it("does not take a little for nothing", () => {
    const lines = (cost: number) => usageTable({ totals: { cost_micro_usd: cost }, groups: [] });
    for (const [cost, shown] of [
      [0, "$0.0000"],
      [1, "<$0.0001"],
      [99, "<$0.0001"],
      [100, "$0.0001"],
    ] as const) {
      assert.ok(lines(cost)?.at(-1)?.endsWith(` ${shown}`), `${cost}`);
    }
  });

  it("is none when the answer is something else", () => {
    assert.equal(usageTable({ hello: "world" }), null);
  });
});
