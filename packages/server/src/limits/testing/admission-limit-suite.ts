import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  askFor,
  concurrency,
  daily,
  day,
  device,
  emptyLedger,
  granted,
  hour,
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
  relay,
  requests,
  second,
} from "./admission-harness.ts";

const options: OpenOptions = { startAt: noon, spentOf: emptyLedger };

/** Limits: requests, tokens, requests a day, concurrency. */
export const limitSuite = (open: Open): void => {
  describe("requests per window", () => {
    it("lets the whole limit through at once and refuses the next, naming the exact wait", async () => {
      const { admission, advance } = await open(options);
      const limits = [requests(100)];
      for (let taken = 1; taken <= 100; taken += 1) {
        const [state] = (await granted(admission, askFor(nothing, { limits }))).limits;
        assert.equal(state?.remaining, 100 - taken);
        assert.equal(state?.resetMs, taken * 600);
      }
      const refused = await overLimit(admission, askFor(nothing, { limits }));
      assert.equal(refused.retryAfterMs, 600);
      assert.deepEqual(refused.state, { limit: limits[0], remaining: 0, resetMs: minute });
      await advance(599);
      await overLimit(admission, askFor(nothing, { limits }));
      await advance(1);
      await granted(admission, askFor(nothing, { limits }));
      await overLimit(admission, askFor(nothing, { limits }));
    });

    it("gives the whole limit, exactly, where the window does not divide evenly", async () => {
      const { admission } = await open(options);
      for (const max of [3, 7, 11, 49, 97]) {
        const limits = [requests(max)];
        for (let taken = 1; taken <= max; taken += 1) {
          const [state] = (await granted(admission, askFor(nothing, { limits }))).limits;
          assert.equal(state?.remaining, max - taken);
          assert.equal(state?.resetMs, Math.ceil((taken * minute) / max));
        }
        const refused = await overLimit(admission, askFor(nothing, { limits }));
        assert.equal(refused.retryAfterMs, Math.ceil(minute / max));
      }
    });

    it("keeps scopes apart, by kind and by id", async () => {
      const { admission } = await open(options);
      const scopes = [device("a"), device("b"), { kind: "app_key", id: "a" } as const, relay];
      for (const scope of scopes) {
        const limits = [requests(1, minute, scope)];
        await granted(admission, askFor(nothing, { limits }));
        await overLimit(admission, askFor(nothing, { limits }));
      }
    });

    it("starts afresh when the limit or its window is changed", async () => {
      const { admission } = await open(options);
      for (const limit of [requests(1), requests(2), requests(2, second)]) {
        const { limits } = await granted(admission, askFor(nothing, { limits: [limit] }));
        assert.equal(limits[0]?.remaining, limit.max - 1);
      }
    });

    it("counts a request that never reached upstream, for it was made", async () => {
      const { admission } = await open(options);
      const limits = [requests(1)];
      const ask = askFor(nothing, { limits });
      await granted(admission, ask);
      admission.settle(ask.id, null);
      await overLimit(admission, askFor(nothing, { limits }));
    });

    it("counts a day's request that upstream was asked, whatever it used", async () => {
      const { admission } = await open(options);
      const limits = [daily(1)];
      const ask = askFor(nothing, { limits });
      await granted(admission, ask);
      admission.settle(ask.id, nothing);
      await overLimit(admission, askFor(nothing, { limits }));
    });

    it("lets nothing through when the limit is zero", async () => {
      const { admission, advance } = await open(options);
      for (const limit of [
        requests(0),
        inputTokens(0),
        outputTokens(0),
        daily(0),
        concurrency(0),
      ]) {
        const refused = await overLimit(admission, askFor(output(1), { limits: [limit] }));
        assert.equal(refused.state.remaining, 0);
        assert.ok(refused.retryAfterMs > 0);
        await advance(minute);
        await overLimit(admission, askFor(output(1), { limits: [limit] }));
      }
    });
  });

  describe("requests a day", () => {
    it("counts to the limit and waits for midnight UTC", async () => {
      const { admission, advance } = await open(options);
      const limits = [daily(2)];
      const untilMidnight = 12 * hour - 5 * second;
      const first = await granted(admission, askFor(nothing, { limits }));
      assert.deepEqual(first.limits, [{ limit: limits[0], remaining: 1, resetMs: untilMidnight }]);
      await granted(admission, askFor(nothing, { limits }));
      const refused = await overLimit(admission, askFor(nothing, { limits }));
      assert.equal(refused.retryAfterMs, untilMidnight);
      await advance(untilMidnight - 1);
      await overLimit(admission, askFor(nothing, { limits }));
      await advance(1);
      const next = await granted(admission, askFor(nothing, { limits }));
      assert.deepEqual(next.limits, [{ limit: limits[0], remaining: 1, resetMs: day }]);
    });

    it("keeps the day's count when the limit is changed", async () => {
      const { admission } = await open(options);
      await granted(admission, askFor(nothing, { limits: [daily(5)] }));
      await granted(admission, askFor(nothing, { limits: [daily(5)] }));
      await overLimit(admission, askFor(nothing, { limits: [daily(2)] }));
      const { limits } = await granted(admission, askFor(nothing, { limits: [daily(3)] }));
      assert.equal(limits[0]?.remaining, 0);
    });

    it("counts no request that something else refused", async () => {
      const { admission } = await open(options);
      await overLimit(admission, askFor(nothing, { limits: [daily(1), concurrency(0)] }));
      await granted(admission, askFor(nothing, { limits: [daily(1)] }));
    });
  });

  describe("concurrency", () => {
    it("counts what is open and frees each place once", async () => {
      const { admission } = await open(options);
      const limits = [concurrency(2)];
      const first = askFor(nothing, { limits });
      assert.equal((await granted(admission, first)).limits[0]?.remaining, 1);
      const other = askFor(nothing, { limits });
      assert.equal((await granted(admission, other)).limits[0]?.remaining, 0);
      const refused = await overLimit(admission, askFor(nothing, { limits }));
      assert.equal(refused.retryAfterMs, 1000);
      admission.settle(first.id, null);
      admission.settle(first.id, nothing);
      await granted(admission, askFor(nothing, { limits }));
      await overLimit(admission, askFor(nothing, { limits }));
    });

    it("never stays locked: refused, repeated and given-back requests leave no place taken", async () => {
      const { admission } = await open(options);
      const limits = [concurrency(3)];
      for (let round = 0; round < 20; round += 1) {
        const asks = Array.from({ length: 6 }, () => askFor(nothing, { limits }));
        await Promise.all(asks.map((ask) => admission.ask(ask)));
        await Promise.all(asks.map((ask) => admission.ask(ask)));
        for (const ask of asks) {
          admission.settle(ask.id, round % 2 === 0 ? null : nothing);
        }
      }
      const { limits: states } = await granted(admission, askFor(nothing, { limits }));
      assert.equal(states[0]?.remaining, 2);
    });

    it("is not freed by time: what runs long is still running", async () => {
      const { admission, advance } = await open(options);
      const limits = [concurrency(1)];
      const ask = askFor(nothing, { limits });
      await granted(admission, ask);
      await advance(30 * minute);
      await overLimit(admission, askFor(nothing, { limits }));
      admission.settle(ask.id, nothing);
      await granted(admission, askFor(nothing, { limits }));
    });
  });

  describe("several limits", () => {
    it("takes nothing of any when one refuses, and names the one with the longest wait", async () => {
      const { admission } = await open(options);
      const all = [requests(10), inputTokens(1000), outputTokens(1000, hour), concurrency(1)];
      const running = askFor({ ...input(600), outputTokens: 600 }, { limits: all });
      await granted(admission, running);
      const refused = await overLimit(
        admission,
        askFor({ ...input(600), outputTokens: 600 }, { limits: all }),
      );
      assert.deepEqual(refused.state.limit, all[2]);
      assert.equal(refused.retryAfterMs, 200 * 3600);
      admission.settle(running.id, { ...input(600), outputTokens: 600 });
      const { limits } = await granted(admission, askFor(nothing, { limits: all }));
      assert.deepEqual(
        limits.map(({ remaining }) => remaining),
        [8, 400, 400, 0],
      );
    });
  });

  describe("a look before the body is read", () => {
    it("takes nothing, and is never wrong about what would pass", async () => {
      const { admission, advance } = await open(options);
      const limits = [requests(1), daily(2), concurrency(1)];
      assert.equal(admission.refusedAlready(limits), null);
      assert.equal(admission.refusedAlready(limits), null);
      const ask = askFor(nothing, { limits });
      await granted(admission, ask);
      const refused = await overLimit(admission, askFor(nothing, { limits }));
      admission.settle(ask.id, nothing);
      await advance(refused.retryAfterMs);
      assert.equal(admission.refusedAlready(limits), null);
      await granted(admission, askFor(nothing, { limits }));
    });
  });
};
