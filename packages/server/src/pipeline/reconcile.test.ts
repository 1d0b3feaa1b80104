import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { reconciledAmounts } from "@claude-relay/contract";
import fc from "fast-check";
import { type BilledLine, type LedgerLine, reconcile, undatedModel } from "./reconcile.ts";

const line = (changes: Partial<LedgerLine> = {}): LedgerLine => ({
  day: "2026-11-20",
  costType: "tokens",
  model: "claude-haiku-4-5",
  requests: 10,
  estimated: false,
  amounts: { input_tokens: 1000, output_tokens: 500, cost_micro_usd: 3500 },
  ...changes,
});

const billed = (changes: Partial<BilledLine> = {}): BilledLine => {
  const { requests: _requests, estimated: _estimated, ...rest } = line();
  return { ...rest, ...changes };
};

const amounts = fc.record(
  Object.fromEntries(reconciledAmounts.map((name) => [name, fc.nat(1_000_000_000)])) as Record<
    (typeof reconciledAmounts)[number],
    fc.Arbitrary<number>
  >,
  { requiredKeys: [] },
);

const ledgerLine: fc.Arbitrary<LedgerLine> = fc.record({
  day: fc.constantFrom("2026-11-19", "2026-11-20", "2026-11-21"),
  costType: fc.constantFrom("tokens", "web_search"),
  model: fc.constantFrom(null, "claude-haiku-4-5-20251001", "claude-haiku-4-5", "claude-opus-5-5"),
  requests: fc.nat(1000),
  estimated: fc.boolean(),
  amounts,
});

describe("reconciling", () => {
  it("finds no drift between a ledger and itself, even without any tolerance", () => {
    fc.assert(
      fc.property(fc.array(ledgerLine, { maxLength: 40 }), (lines) => {
        const { agrees, rows } = reconcile(lines, lines, 0);
        assert.ok(agrees);
        for (const { verdict, sides, difference } of rows) {
          assert.equal(verdict, "match");
          assert.equal(sides, "both");
          assert.deepEqual(Object.values(difference), new Array(7).fill(0));
        }
      }),
    );
  });

  it("loses nothing: its rows add up to the totals of either side, whatever lines come", () => {
    fc.assert(
      fc.property(fc.array(ledgerLine), fc.array(ledgerLine), (ours, theirs) => {
        const { rows, totals } = reconcile(ours, theirs, 1);
        for (const name of reconciledAmounts) {
          for (const side of ["ours", "theirs", "difference", "estimated"] as const) {
            const sum = rows.reduce((total, row) => total + row[side][name], 0);
            assert.equal(sum, totals[side][name], `${side} ${name}`);
          }
        }
      }),
    );
  });

  it("finds every planted drift beyond the tolerance in measured rows, of any kind and either sign", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...reconciledAmounts),
        fc.integer({ min: 1000, max: 1_000_000 }),
        fc.integer({ min: 3, max: 90 }),
        fc.boolean(),
        (name, amount, percent, more) => {
          const other = Math.round(amount * (1 + (more ? percent : -percent) / 100));
          const ours = [line({ amounts: { [name]: amount } })];
          const { agrees, rows } = reconcile(ours, [billed({ amounts: { [name]: other } })], 1);
          assert.equal(agrees, false);
          assert.equal(rows[0]?.verdict, "drift");
          assert.equal(rows[0]?.difference[name], amount - other);
        },
      ),
    );
  });

  it("lets figures lie apart by the tolerance, of the larger, and no further", () => {
    const verdict = (theirs: number) =>
      reconcile(
        [line({ amounts: { input_tokens: 1000 } })],
        [billed({ amounts: { input_tokens: theirs } })],
        1,
      ).rows[0]?.verdict;
    assert.equal(verdict(990), "match");
    assert.equal(verdict(1010), "match");
    assert.equal(verdict(989), "drift");
    assert.equal(verdict(1011), "drift");
  });

  it("lets money differ by a micro-dollar a request, which the ledger rounds up", () => {
    const verdict = (cost: number) =>
      reconcile(
        [line({ amounts: { cost_micro_usd: cost } })],
        [billed({ amounts: { cost_micro_usd: 100 } })],
        0,
      ).rows[0]?.verdict;
    assert.equal(verdict(110), "match");
    assert.equal(verdict(111), "drift");
  });

  it("says which side alone has a row, and that this is drift", () => {
    const { rows } = reconcile([line()], [billed({ model: "claude-opus-5-5" })], 100);
    assert.deepEqual(
      rows.map(({ model, sides, relative }) => [model, sides, relative.input_tokens]),
      [
        ["claude-haiku-4-5", "ours", null],
        ["claude-opus-5-5", "theirs", -1],
      ],
    );
    assert.equal(reconcile([line()], [], 1).agrees, false);
    assert.equal(reconcile([], [billed()], 1).agrees, false);
  });

  it("explains by estimates what they can explain, and calls the rest drift", () => {
    const guess = { input_tokens: 100 };
    const ours = [
      line({ amounts: { input_tokens: 1000 } }),
      line({ requests: 1, estimated: true, amounts: guess }),
    ];
    const row = (input: number) =>
      reconcile(ours, [billed({ amounts: { input_tokens: input } })], 0).rows[0];
    assert.equal(row(1100)?.verdict, "match");
    assert.equal(row(1000)?.verdict, "estimates");
    assert.equal(row(1200)?.verdict, "estimates");
    assert.equal(row(999)?.verdict, "drift");
    assert.equal(row(1201)?.verdict, "drift");
    assert.equal(row(1100)?.estimated.requests, 1);
    assert.equal(row(1100)?.estimated.input_tokens, 100);
    assert.equal(row(1100)?.ours.requests, 11);
  });

  it("takes a model's names with and without a date for one, and no two models for one", () => {
    const { agrees, rows } = reconcile(
      [line()],
      [billed({ model: "claude-haiku-4-5-20251001" })],
      0,
    );
    assert.ok(agrees);
    assert.equal(rows.length, 1);
    assert.equal(undatedModel("claude-opus-5-5[1m]"), "claude-opus-5-5");
    assert.equal(undatedModel("claude-opus-5"), "claude-opus-5");
    assert.equal(undatedModel("claude-3-7-sonnet-latest"), "claude-3-7-sonnet");
  });

  it("agrees about nothing at all", () => {
    assert.deepEqual(reconcile([], [], 0).rows, []);
    assert.equal(reconcile([], [], 0).agrees, true);
  });
});
