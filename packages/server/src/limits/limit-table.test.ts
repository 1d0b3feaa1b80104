import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { epochMs } from "@claude-relay/contract";
import type { Limit } from "../pipeline/admission.ts";
import { LimitTable } from "./limit-table.ts";

const limit = (id: string, kind: "requests" | "concurrency" = "requests"): Limit => ({
  kind,
  scope: { kind: "session", id },
  max: 10,
  windowMs: 60_000,
});
const at = (monotonic: number) => ({ wall: epochMs(1_000_000), monotonic });

/** Takes one of each of these, a millisecond apart. */
const take = (table: LimitTable, limits: readonly Limit[], from = 0): void => {
  for (const [index, one] of limits.entries()) {
    table.get(one, at(from + index)).take(1, at(from + index));
  }
};
const ids = (count: number, name = "s"): string[] =>
  Array.from({ length: count }, (_, index) => `${name}${index}`);

describe("the table of limits", () => {
  it("keeps no more than its bound, and forgets whole limits before any other", () => {
    const table = new LimitTable(100);
    take(
      table,
      ids(60, "old").map((id) => limit(id)),
    );
    take(
      table,
      ids(41, "new").map((id) => limit(id)),
      10_000,
    );
    assert.equal(table.size, 41);
    assert.ok(table.find(limit("new0")) !== undefined);
    assert.equal(table.find(limit("old59")), undefined);
  });

  it("forgets the longest unused when none is whole", () => {
    const table = new LimitTable(100);
    take(
      table,
      ids(100).map((id) => limit(id)),
    );
    table.get(limit("s0"), at(1500));
    take(table, [limit("one more")], 2000);
    assert.equal(table.size, 75);
    assert.ok(table.find(limit("s0")) !== undefined);
    assert.equal(table.find(limit("s1")), undefined);
    assert.ok(table.find(limit("one more")) !== undefined);
  });

  it("keeps the counts of today before those of yesterday", () => {
    const table = new LimitTable(10);
    const daily = (id: string): Limit => ({ ...limit(id), kind: "requests_per_day" });
    const today = { wall: epochMs(30 * 3_600_000), monotonic: 1 };
    take(table, ids(6, "yesterday").map(daily));
    for (const id of ids(5, "today")) {
      table.get(daily(id), today).take(1, today);
    }
    assert.equal(table.size, 5);
    assert.equal(table.find(daily("yesterday5")), undefined);
  });

  it("never forgets what is open, and stays quick when all is", () => {
    const table = new LimitTable(100);
    take(
      table,
      ids(5000).map((id) => limit(id, "concurrency")),
    );
    assert.equal(table.size, 5000);
    for (const id of ids(5000)) {
      table.get(limit(id, "concurrency"), at(9000)).settle(1, 1, at(9000), at(9000).wall);
    }
    take(
      table,
      ids(4000, "later").map((id) => limit(id)),
      9000,
    );
    assert.ok(table.size <= 4000, `${table.size} are kept`);
  });
});
