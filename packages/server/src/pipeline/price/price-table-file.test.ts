import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { listPrices } from "./price-table.ts";
import { PriceTableFault, parsePriceTable } from "./price-table-file.ts";

const rates = { input: 3, output: 15, cache_write_5m: 4, cache_write_1h: 6, cache_read: 1 };

describe("an operator's price file", () => {
  it("adds models, replaces models, and keeps the rest", () => {
    const table = parsePriceTable({
      models: [
        { model: "claude-new", rates },
        {
          model: "claude-sonnet-5-5",
          from: "2026-12-01",
          rates,
          fast: rates,
          long_context: { above_prompt_tokens: 7, rates },
        },
      ],
      web_search: 20_000,
    });
    const of = (model: string) => table.entries.filter((entry) => entry.model === model);
    const ours = { input: 3, output: 15, cacheWrite5m: 4, cacheWrite1h: 6, cacheRead: 1 };
    assert.deepEqual(of("claude-new"), [
      { model: "claude-new", from: 0, rates: ours, longContext: null, fast: null },
    ]);
    assert.deepEqual(of("claude-sonnet-5-5"), [
      {
        model: "claude-sonnet-5-5",
        from: Date.UTC(2026, 11, 1),
        rates: ours,
        longContext: { abovePromptTokens: 7, rates: ours },
        fast: ours,
      },
    ]);
    assert.equal(of("claude-opus-5").length, 1);
    assert.equal(table.webSearch, 20_000);
    assert.equal(table.regionalPercent, listPrices.regionalPercent);
    assert.deepEqual(parsePriceTable({ models: [] }), listPrices);
  });

  it("is refused with every fault at once", () => {
    assert.throws(
      () =>
        parsePriceTable({
          models: [
            { model: "a b", rates },
            { model: "x", rates: { ...rates, input: 0, output: 1.5 }, typo: 1 },
            { model: "y", rates: { input: 1 } },
          ],
          web_search: -1,
          other: 1,
        }),
      (error) => {
        assert.ok(error instanceof PriceTableFault);
        const all = error.faults.join("\n");
        for (const expected of [
          /^\/models\/0\/model: /m,
          /^\/models\/1\/rates\/input: must be >= 1/m,
          /^\/models\/1\/rates\/output: must be integer/m,
          /^\/models\/1\/typo: unknown field/m,
          /^\/models\/2\/rates: must have required properties/m,
          /^\/web_search: /m,
          /^\/other: unknown field/m,
        ]) {
          assert.match(all, expected);
        }
        return true;
      },
    );
    for (const junk of [null, 1, "x", [], {}]) {
      assert.throws(() => parsePriceTable(junk), PriceTableFault);
    }
  });

  it("is refused for dates that do not exist and two prices from one moment", () => {
    for (const from of [
      "2026-02-30",
      "2026-13-01",
      "yesterday",
      "2026-1-1",
      "2026-01-01T00:00:00",
    ]) {
      assert.throws(
        () => parsePriceTable({ models: [{ model: "x", from, rates }] }),
        /models\/0\/from: must be an ISO 8601 date/,
      );
    }
    parsePriceTable({ models: [{ model: "x", from: "2026-10-07T12:00:00Z", rates }] });
    assert.throws(
      () =>
        parsePriceTable({
          models: [
            { model: "x", from: "2026-10-07", rates },
            { model: "x", from: "2026-10-07T00:00:00Z", rates },
          ],
        }),
      /two prices from the same moment/,
    );
  });
});
