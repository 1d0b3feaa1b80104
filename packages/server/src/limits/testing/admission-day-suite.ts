import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Ask } from "../../pipeline/admission.ts";
import {
  askFor,
  concurrency,
  daily,
  day,
  emptyLedger,
  granted,
  noon,
  nothing,
  type Open,
  type OpenOptions,
  overLimit,
  second,
} from "./admission-harness.ts";

const options: OpenOptions = { startAt: noon, spentOf: emptyLedger };

/** The day's requests: what never reached upstream does not count among them. */
export const daySuite = (open: Open): void => {
  describe("a request that never reached upstream", () => {
    it("is given back to the day it was asked on, once, and its place is free at once", async () => {
      const { admission, advance } = await open(options);
      const limits = [daily(2)];
      const remaining = async () =>
        (await granted(admission, askFor(nothing, { limits }))).limits[0]?.remaining;
      const asks = [askFor(nothing, { limits }), askFor(nothing, { limits })] as const;
      for (const ask of asks) {
        await granted(admission, ask);
      }
      await overLimit(admission, askFor(nothing, { limits }));
      assert.equal(admission.refusedAlready(limits)?.kind, "over_limit");
      admission.settle(asks[0].id, null);
      admission.settle(asks[0].id, null);
      assert.equal(admission.refusedAlready(limits), null);
      assert.equal(await remaining(), 0);
      await advance(day);
      assert.equal(await remaining(), 1);
      admission.settle(asks[1].id, null);
      assert.equal(await remaining(), 0);
    });

    it("is not given back when it was refused, or when upstream answered it", async () => {
      const { admission } = await open(options);
      const limits = [daily(1), concurrency(1)];
      const ask = askFor(nothing, { limits });
      await granted(admission, ask);
      const refused = askFor(nothing, { limits });
      await overLimit(admission, refused);
      admission.settle(refused.id, null);
      admission.settle(ask.id, nothing);
      admission.settle(ask.id, null);
      await overLimit(admission, askFor(nothing, { limits: [daily(1)] }));
    });

    it("gives back to each of several scopes what it took there", async () => {
      const { admission } = await open(options);
      const limits = [daily(3), daily(2, { kind: "relay", id: "" })];
      const asks: Ask[] = [];
      for (let turn = 0; turn < 2; turn += 1) {
        const ask = askFor(nothing, { limits });
        asks.push(ask);
        await granted(admission, ask);
      }
      for (const { id } of asks) {
        admission.settle(id, null);
      }
      const { limits: states } = await granted(admission, askFor(nothing, { limits }));
      assert.deepEqual(
        states.map(({ remaining }) => remaining),
        [2, 1],
      );
    });

    it("frees a place that another process was refused, within a second", async (test) => {
      const { admission, advance, peer } = await open(options);
      if (peer === undefined) {
        test.diagnostic("not of one process alone");
        return;
      }
      const other = await peer();
      const limits = [daily(1)];
      const ask = askFor(nothing, { limits });
      await granted(admission, ask);
      const refused = await overLimit(other, askFor(nothing, { limits }));
      const known = other.refusedAlready(limits);
      assert.ok(known?.kind === "over_limit");
      assert.equal(known.retryAfterMs, refused.retryAfterMs);
      admission.settle(ask.id, null);
      // On the same connection: once this is answered the settlement is done.
      await granted(admission, askFor(nothing, { limits: [] }));
      await advance(second);
      // A clock goes by what Redis said last.
      await granted(other, askFor(nothing, { limits: [] }));
      assert.equal(other.refusedAlready(limits), null);
      await granted(other, askFor(nothing, { limits }));
      await other.close();
    });
  });
};
