/** Whatever becomes of a request, what was held for it is settled once, to what it used. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type BudgetId, microUsd } from "@claude-relay/contract";
import fc from "fast-check";
import type { Ask, Budget, Limit } from "./admission.ts";
import { nothingUsed, usedBy } from "./hold.ts";
import type { LineDeps } from "./line.ts";
import { Refusal } from "./refusal.ts";
import { body, lineFixture, openDirectory } from "./test-setup.ts";
import type { Outcome, Upstream, UpstreamReceiver } from "./types.ts";
import { emptyUsage } from "./usage/usage.ts";

const event = (type: string, data: object): Buffer =>
  Buffer.from(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
const started = event("message_start", {
  message: { model: "claude-haiku-4-5", usage: { input_tokens: 30, output_tokens: 1 } },
});
const counted = event("message_delta", { delta: {}, usage: { output_tokens: 12 } });
const stopped = event("message_stop", {});
const sse = { "content-type": "text/event-stream" };
const json = { "content-type": "application/json" };
const message = Buffer.from(
  '{"type":"message","model":"m","content":[],"usage":{"input_tokens":30,"output_tokens":12}}',
);
const used = { microUsd: 42, inputTokens: 30, outputTokens: 12, tokens: 42 };
const sent = { kind: "unreachable", message: "x", sent: true } as const;
const unsent = { kind: "unreachable", message: "x", sent: false } as const;
/** What is taken for used when upstream may have written all of an answer in one piece. */
const input = Math.ceil(body.length / 4);
const unknown = { microUsd: input + 9, inputTokens: input, outputTokens: 9, tokens: input + 9 };
const streamBody = Buffer.from(`${body.toString().slice(0, -1)},"stream":true}`);
const streamInput = Math.ceil(streamBody.length / 4);

const draining: Partial<LineDeps> = {
  directory: { ...openDirectory, onDisconnect: () => "drain" },
};

const underWay = async (changes: Partial<LineDeps> = {}, bytes: Buffer = body) => {
  const fixture = lineFixture(changes);
  const walked = fixture.walk({ readBody: async () => bytes });
  walked.catch(() => {});
  const receiver = await fixture.upstream.called;
  await new Promise((resolve) => setImmediate(resolve));
  return { ...fixture, walked, receiver };
};

const limit: Limit = {
  scope: { kind: "device", id: "d" },
  kind: "requests",
  max: 1,
  windowMs: 60_000,
};
const budget: Budget = {
  id: "bud_1" as BudgetId,
  scope: { kind: "user", id: "ada" },
  unit: "tokens",
  limit: 6000,
  window: { kind: "day" },
};

/** An admission that notes, in order, what it is asked and what it settles. */
const noted = (refuses = false) => {
  const asks: Ask[] = [];
  const notes: string[] = [];
  const admission: LineDeps["admission"] = {
    refusedAlready: () => null,
    ask: (ask) => {
      asks.push(ask);
      notes.push(`ask ${ask.limits.length} ${ask.budgets.length} ${ask.worst.microUsd}`);
      return refuses
        ? { kind: "unavailable", retryAfterMs: 1 }
        : { kind: "granted", limits: [], budgets: [] };
    },
    settle: (id, amounts) => void notes.push(`settle ${asks[0]?.id === id} ${amounts?.microUsd}`),
  };
  const directory = {
    ...openDirectory,
    limitsOf: () => [limit, { ...limit, kind: "concurrency" } as Limit],
    requestLimitsOf: () => [limit],
    budgetsOf: () => [budget],
  };
  return { asks, notes, admission, directory };
};

describe("what is asked for", () => {
  it("is the worst case of a model call, of all limits and budgets at once", async () => {
    const { asks, ...ports } = noted();
    const { receiver, walked } = await underWay(ports);
    assert.equal(asks.length, 1);
    assert.deepEqual(asks[0]?.limits.length, 2);
    assert.deepEqual(asks[0]?.budgets, [budget]);
    const worst = { microUsd: 5000, inputTokens: input, outputTokens: 9, tokens: 500 };
    assert.deepEqual(asks[0]?.worst, worst);
    receiver.onFailure(unsent);
    await assert.rejects(walked);
  });

  it("is the requests alone of what costs nothing", async () => {
    for (const operation of [
      { kind: "count_tokens", beta: false },
      { kind: "list_models", query: {} },
    ] as const) {
      const { notes, ...ports } = noted();
      const { walk, upstream } = lineFixture(ports);
      const readBody = async () => (operation.kind === "list_models" ? null : body);
      const walked = walk({ operation, readBody });
      const receiver = await upstream.called;
      receiver.onStart(200, json);
      receiver.onEnd();
      await walked;
      assert.deepEqual(notes, ["ask 1 0 0", "settle true 0"]);
    }
  });

  it("is the request, and not given back, of a body that is refused", async () => {
    for (const readBody of [
      async () => Buffer.from("{"),
      async () => {
        throw new Refusal("too_large", "no");
      },
    ]) {
      const { notes, ...ports } = noted();
      await assert.rejects(lineFixture(ports).walk({ readBody }), Refusal);
      assert.deepEqual(notes, ["ask 1 0 0", "settle true 0"]);
    }
  });

  it("is not settled when it was not granted", async () => {
    const { notes, ...ports } = noted(true);
    const { walk, intents } = lineFixture(ports);
    await assert.rejects(walk(), /cannot check its budgets/);
    assert.deepEqual([notes, intents], [["ask 2 1 5000"], []]);
  });

  it("is given back whole when the ledger cannot be written, before the caller hears of it", async () => {
    const { notes, ...ports } = noted();
    const open = async () => {
      throw new Refusal("storage_unavailable", "no");
    };
    const ledger = { open, progress() {}, close: () => assert.fail("nothing was opened") };
    await assert.rejects(lineFixture({ ...ports, ledger }).walk(), Refusal);
    assert.deepEqual(notes, ["ask 2 1 5000", "settle true undefined"]);
  });

  it("holds no money for what a subscription covers, but its tokens", async () => {
    const { asks, ...ports } = noted();
    const upstream: Upstream = { name: "cli", billing: "subscription", send: () => assert.fail() };
    await assert.rejects(lineFixture({ ...ports, upstream }).walk());
    assert.deepEqual([asks[0]?.worst.microUsd, asks[0]?.worst.tokens], [0, 500]);
  });
});

type End = (walk: Awaited<ReturnType<typeof underWay>>) => void;

describe("a hold is settled", () => {
  const ends: readonly [
    what: string,
    End,
    settled: unknown,
    changes?: Partial<LineDeps>,
    bytes?: Buffer,
  ][] = [
    [
      "to upstream's count when the answer is complete",
      ({ receiver }) => {
        receiver.onStart(200, json);
        receiver.onData(message);
        receiver.onEnd();
      },
      used,
    ],
    [
      "to nothing when upstream refuses",
      ({ receiver }) => {
        receiver.onStart(529, json);
        receiver.onEnd();
      },
      nothingUsed,
    ],
    [
      "to nothing when upstream was never reached",
      ({ receiver }) => receiver.onFailure(unsent),
      nothingUsed,
    ],
    [
      "to all it can be when one answer never came",
      ({ receiver }) => receiver.onFailure(sent),
      unknown,
    ],
    [
      "to all it can be when the caller left before one answer",
      ({ reply }) => reply.leave(),
      unknown,
    ],
    [
      "to the estimated input when the caller left before a stream",
      ({ reply }) => reply.leave(),
      { microUsd: streamInput, inputTokens: streamInput, outputTokens: 0, tokens: streamInput },
      {},
      streamBody,
    ],
    [
      "to what was counted when the caller left a stream",
      ({ receiver, reply }) => {
        receiver.onStart(200, sse);
        receiver.onData(started);
        receiver.onData(counted);
        reply.leave();
      },
      used,
      {},
      streamBody,
    ],
    [
      "to upstream's count when the caller left and the answer was drained",
      ({ receiver, reply }) => {
        receiver.onStart(200, sse);
        receiver.onData(started);
        reply.leave();
        receiver.onData(counted);
        receiver.onData(stopped);
        receiver.onEnd();
      },
      used,
      draining,
      streamBody,
    ],
    [
      "to upstream's count when the caller left before the answer that was drained",
      ({ receiver, reply }) => {
        reply.leave();
        receiver.onStart(200, json);
        receiver.onData(message);
        receiver.onEnd();
      },
      used,
      draining,
    ],
    [
      "to nothing when upstream refuses what is drained",
      ({ receiver, reply }) => {
        reply.leave();
        receiver.onStart(400, json);
        receiver.onEnd();
      },
      nothingUsed,
      draining,
    ],
    [
      "to what was counted when a drained stream breaks",
      ({ receiver, reply }) => {
        receiver.onStart(200, sse);
        receiver.onData(started);
        receiver.onData(counted);
        reply.leave();
        receiver.onFailure(sent);
      },
      used,
      draining,
      streamBody,
    ],
    [
      "to what was counted when a stream is cut",
      ({ receiver }) => {
        receiver.onStart(200, sse);
        receiver.onData(started);
        receiver.onData(counted);
        receiver.onEnd();
      },
      used,
      {},
      streamBody,
    ],
    ["when the relay stops", ({ active }) => active.abandonAll(), unknown],
    [
      "when the relay stops while an answer is drained",
      ({ active, reply }) => {
        reply.leave();
        active.abandonAll();
      },
      unknown,
      draining,
    ],
  ];
  for (const [what, end, settled, changes, bytes] of ends) {
    it(what, async () => {
      const walk = await underWay(changes, bytes);
      assert.deepEqual(walk.settled, [], "held until the end");
      end(walk);
      await walk.walked.catch(() => {});
      assert.deepEqual(walk.settled, [settled]);
      assert.equal(walk.outcomes.length, 1);
      assert.equal(walk.active.size, 0);
    });
  }

  it("to nothing when the caller left before upstream was called", async () => {
    const { walk, reply, settled, upstream } = lineFixture(draining);
    reply.onLeave = (listener) => listener();
    await walk();
    assert.deepEqual([settled, upstream.notes], [[nothingUsed], []]);
  });

  it("and a row is written when upstream's own code fails", async () => {
    const send = () => {
      throw new TypeError("a fault");
    };
    const { walk, settled, outcomes, active } = lineFixture({ upstream: { name: "test", send } });
    await assert.rejects(walk(), /a fault/);
    assert.deepEqual(settled, [nothingUsed]);
    assert.equal(outcomes[0]?.accuracy, "free");
    assert.equal(active.size, 0);
  });

  it("exactly once, with what its row says, whatever happens in whatever order", async () => {
    const step = fc.constantFrom(
      "data",
      "count",
      "leave",
      "tick",
      "abandon",
      "fail",
      "end",
      "late",
    );
    const run = async (
      steps: readonly string[],
      status: number,
      stream: boolean,
      drain: boolean,
    ) => {
      const walk = await underWay(drain ? draining : {}, stream ? streamBody : body);
      const { receiver, reply, active, time } = walk;
      const over = (): boolean => walk.outcomes.length > 0;
      if (status !== 0) {
        receiver.onStart(status, stream ? sse : json);
      }
      for (const each of steps) {
        act(each, receiver, over, status !== 0, {
          leave: () => reply.leave(),
          tick: () => {
            time.ms += 1000;
            active.tick(time.ms);
          },
          abandon: () => active.abandonAll(),
        });
      }
      if (!over()) {
        receiver.onFailure(sent);
      }
      await walk.walked.catch(() => {});
      assert.equal(walk.outcomes.length, 1);
      assert.deepEqual(walk.settled, [usedBy(walk.outcomes[0] as Outcome)]);
      assert.equal(active.size, 0);
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 8 }),
        fc.constantFrom(0, 200, 400, 529),
        fc.boolean(),
        fc.boolean(),
        run,
      ),
      { numRuns: 300 },
    );
  });
});

/** Upstream keeps its word: data after a start, one end, and nothing after a cancel. */
const act = (
  step: string,
  receiver: UpstreamReceiver,
  over: () => boolean,
  hasStarted: boolean,
  others: Readonly<Record<string, () => void>>,
): void => {
  if (step in others) {
    others[step]?.();
  } else if (over()) {
    return;
  } else if (step === "fail") {
    receiver.onFailure(sent);
  } else if (hasStarted) {
    if (step === "end") {
      receiver.onEnd();
    } else {
      receiver.onData(step === "count" ? counted : started);
    }
  }
};

describe("what an exchange used", () => {
  const outcome = (more: Partial<Outcome>): Outcome => ({
    ...({} as Outcome),
    usage: {
      ...emptyUsage,
      inputTokens: 1,
      outputTokens: 10,
      cacheReadInputTokens: 100,
      cacheCreation5mInputTokens: 1000,
      cacheCreation1hInputTokens: 10_000,
    },
    costMicroUsd: microUsd(7),
    priceFlag: null,
    ...more,
  });

  it("counts cache writes but not reads against the rate of input, and all against token budgets", () => {
    assert.deepEqual(usedBy(outcome({})), {
      microUsd: 7,
      inputTokens: 11_001,
      outputTokens: 10,
      tokens: 11_111,
    });
  });

  it("is no money under a subscription", () => {
    const { microUsd: money, tokens } = usedBy(outcome({ priceFlag: "subscription" }));
    assert.deepEqual([money, tokens], [0, 11_111]);
  });
});
