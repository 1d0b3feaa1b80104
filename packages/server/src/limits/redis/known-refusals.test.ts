import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { epochMs } from "@claude-relay/contract";
import type { Limit } from "../../pipeline/admission.ts";
import { KnownRefusals } from "./known-refusals.ts";

const scope = { kind: "app_key", id: "app" } as const;
const perMinute: Limit = { kind: "requests", scope, max: 4, windowMs: 60_000 };
const perDay: Limit = { kind: "requests_per_day", scope, max: 4 };

const setUp = () => {
  const time = { ms: 1_000_000 };
  return { time, known: new KnownRefusals(() => epochMs(time.ms)) };
};

describe("a limit that a grant used up", () => {
  it("refuses the next request without asking, until one more fits", () => {
    const { time, known } = setUp();
    known.sawLeft([{ limit: perMinute, remaining: 0, resetMs: 60_000 }]);
    const verdict = known.find([perMinute]);
    assert.deepEqual(verdict, {
      kind: "over_limit",
      state: { limit: perMinute, remaining: 0, resetMs: 60_000 },
      retryAfterMs: 15_000,
    });
    time.ms += 14_999;
    assert.equal(known.find([perMinute])?.kind, "over_limit");
    time.ms += 1;
    assert.equal(known.find([perMinute]), null);
  });

  it("does not when one more fits already, or some are left", () => {
    const { known } = setUp();
    known.sawLeft([{ limit: perMinute, remaining: 0, resetMs: 45_000 }]);
    known.sawLeft([{ limit: perMinute, remaining: 1, resetMs: 60_000 }]);
    assert.equal(known.find([perMinute]), null);
  });

  it("of a day is believed for a second: others may give a request back", () => {
    const { time, known } = setUp();
    known.sawLeft([{ limit: perDay, remaining: 0, resetMs: 3_600_000 }]);
    assert.equal(known.find([perDay])?.kind, "over_limit");
    time.ms += 1_000;
    assert.equal(known.find([perDay]), null);
  });

  it("of tokens or places says nothing of the next request", () => {
    const { known } = setUp();
    const tokens: Limit = { kind: "input_tokens", scope, max: 4, windowMs: 60_000 };
    const places: Limit = { kind: "concurrency", scope, max: 4 };
    known.sawLeft([{ limit: tokens, remaining: 0, resetMs: 60_000 }]);
    known.sawLeft([{ limit: places, remaining: 0, resetMs: 0 }]);
    assert.equal(known.find([tokens, places]), null);
  });
});
