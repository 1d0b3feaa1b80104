import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  askFor,
  emptyLedger,
  granted,
  input,
  inputTokens,
  minute,
  noon,
  nothing,
  type Open,
  type OpenOptions,
  output,
  outputTokens,
  overLimit,
} from "./admission-harness.ts";

const options: OpenOptions = { startAt: noon, spentOf: emptyLedger };

/** Input and output tokens per window: held at worst case, corrected when the request is over. */
export const tokenSuite = (open: Open): void => {
  describe("tokens per window", () => {
    it("takes the worst case and gives the unused part back at once", async () => {
      const { admission } = await open(options);
      for (const [limit, amount] of [
        [inputTokens(1000), input],
        [outputTokens(1000), output],
      ] as const) {
        const limits = [limit];
        const ask = askFor(amount(800), { limits });
        const held = await granted(admission, ask);
        assert.equal(held.limits[0]?.remaining, 200);
        const refused = await overLimit(admission, askFor(amount(500), { limits }));
        assert.equal(refused.retryAfterMs, 300 * 60);
        assert.equal(refused.state.remaining, 200);
        admission.settle(ask.id, amount(100));
        const next = await granted(admission, askFor(amount(500), { limits }));
        assert.equal(next.limits[0]?.remaining, 400);
      }
    });

    it("gives all of it back when upstream was never called", async () => {
      const { admission } = await open(options);
      const limits = [inputTokens(1000), outputTokens(1000)];
      const ask = askFor({ ...input(1000), outputTokens: 1000 }, { limits });
      await granted(admission, ask);
      admission.settle(ask.id, null);
      const next = await granted(admission, askFor(nothing, { limits }));
      assert.deepEqual(
        next.limits.map(({ remaining, resetMs }) => ({ remaining, resetMs })),
        [
          { remaining: 1000, resetMs: 0 },
          { remaining: 1000, resetMs: 0 },
        ],
      );
    });

    it("gains nothing by what is given back late: the limit is never more than whole", async () => {
      const { admission, advance } = await open(options);
      const limits = [inputTokens(1000)];
      const ask = askFor(input(1000), { limits });
      await granted(admission, ask);
      await advance(2 * minute);
      admission.settle(ask.id, nothing);
      const next = await granted(admission, askFor(input(1000), { limits }));
      assert.equal(next.limits[0]?.remaining, 0);
      await overLimit(admission, askFor(input(1), { limits }));
    });

    it("goes into debt for what was used beyond the hold, even when the limit was whole again", async () => {
      const { admission, advance } = await open(options);
      const limits = [outputTokens(1000)];
      const ask = askFor(output(100), { limits });
      await granted(admission, ask);
      await advance(2 * minute);
      admission.settle(ask.id, output(2100));
      const refused = await overLimit(admission, askFor(output(1), { limits }));
      assert.equal(refused.state.remaining, 0);
      assert.equal(refused.retryAfterMs, 1001 * 60);
      assert.equal(refused.state.resetMs, 2000 * 60);
    });

    it("lets a request bigger than the whole limit pass on a whole one only, into debt", async () => {
      const { admission, advance } = await open(options);
      const limits = [inputTokens(1000)];
      await granted(admission, askFor(input(1), { limits }));
      const early = await overLimit(admission, askFor(input(3000), { limits }));
      assert.equal(early.retryAfterMs, 60);
      await advance(60);
      const { limits: states } = await granted(admission, askFor(input(3000), { limits }));
      assert.equal(states[0]?.remaining, 0);
      assert.equal(states[0]?.resetMs, 3 * minute);
      const refused = await overLimit(admission, askFor(input(1000), { limits }));
      assert.equal(refused.retryAfterMs, 3 * minute);
      await advance(3 * minute);
      await granted(admission, askFor(input(1000), { limits }));
    });

    it("holds no more output than the limit, whatever max_tokens says", async () => {
      const { admission } = await open(options);
      const limits = [outputTokens(1000)];
      const ask = askFor(output(64_000), { limits });
      const { limits: states } = await granted(admission, ask);
      assert.equal(states[0]?.resetMs, minute);
      admission.settle(ask.id, output(400));
      const next = await granted(admission, askFor(output(600), { limits }));
      assert.equal(next.limits[0]?.remaining, 0);
    });
  });
};
