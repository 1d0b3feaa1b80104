/** Upstream's own limits, shared among callers: one cannot starve the others. */
import assert from "node:assert/strict";
import type { ClientRequest } from "node:http";
import { describe, it, type TestContext } from "node:test";
import { ask, startSetting } from "./harness/anthropic.ts";
import { type Answer, begun, finish, open, send, withToken } from "./harness/http.ts";

const start = async (
  t: TestContext,
  rateLimits: Readonly<Record<string, number>>,
  env: Readonly<Record<string, string>> = {},
) => {
  const setting = await startSetting({ env, simulator: { rateLimits } });
  t.after(() => setting.stop());
  const callOf = (token: string) => ({ headers: withToken(token), body: ask("Hello") });
  const call = (token: string) => send(setting.relay.url, callOf(token));
  return { ...setting, call, open: (token: string) => open(setting.relay.url, callOf(token)) };
};

type Tally = { served: number; theirs: number; ours: number };

const note = (tally: Tally, { status, headers }: Answer): void => {
  tally.served += status === 200 ? 1 : 0;
  if (status === 429) {
    tally[headers["x-relay-upstream"] === undefined ? "ours" : "theirs"] += 1;
  }
};

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Keeps so many calls out, each again when it is over, and soon again when it is refused, until it hangs up. */
const keepCalling = (
  call: () => ClientRequest,
  parallel: number,
): { tally: Tally; hangUp: () => Promise<unknown> } => {
  const tally: Tally = { served: 0, theirs: 0, ours: 0 };
  const out = new Set<ClientRequest>();
  let isOver = false;
  const answerOf = async (outgoing: ClientRequest): Promise<Answer | null> => {
    out.add(outgoing);
    try {
      return await finish(await begun(outgoing));
    } catch (error) {
      assert.ok(isOver, String(error));
      return null;
    } finally {
      out.delete(outgoing);
    }
  };
  const one = async (): Promise<void> => {
    while (!isOver) {
      const answer = await answerOf(call());
      if (answer === null) {
        return;
      }
      note(tally, answer);
      if (answer.status === 429) {
        // It does not do as it is told.
        await sleep(50);
      }
    }
  };
  const over = Promise.all(Array.from({ length: parallel }, one));
  const hangUp = (): Promise<unknown> => {
    isOver = true;
    for (const outgoing of out) {
      outgoing.destroy();
    }
    return over;
  };
  return { tally, hangUp };
};

/** A greedy caller with 50 calls at once, and a modest one that calls ten times, one after the other. */
const greedyAndModest = async (t: TestContext, env: Readonly<Record<string, string>>) => {
  const { relay, call, open } = await start(t, { requests: 600 }, env);
  const [greedy, modest] = [
    await relay.bootstrap("greedy-one"),
    await relay.bootstrap("modest-one"),
  ];
  const flood = keepCalling(() => open(greedy), 50);
  // Until upstream has nothing left but what it gives by the second.
  while (flood.tally.theirs === 0) {
    await sleep(20);
  }
  const tally: Tally = { served: 0, theirs: 0, ours: 0 };
  const waits: number[] = [];
  const before = flood.tally.served;
  const since = performance.now();
  for (let turn = 0; turn < 10; turn += 1) {
    const at = performance.now();
    note(tally, await call(modest));
    waits.push(Math.round(performance.now() - at));
    await sleep(300);
  }
  const perSecond = ((flood.tally.served - before) * 1000) / (performance.now() - since);
  await flood.hangUp();
  t.diagnostic(
    `the modest one: ${tally.served} of 10 served, waits ${waits} ms; the greedy one ${perSecond.toFixed(1)} a second, refused by upstream ${flood.tally.theirs}, by the relay ${flood.tally.ours}`,
  );
  return { tally, flood: flood.tally, perSecond };
};

describe("a greedy caller with 50 calls at once, and a modest one", () => {
  it("share what upstream gives: the modest one gets through every time", async (t) => {
    const { tally, perSecond } = await greedyAndModest(t, {});
    assert.deepEqual(tally, { served: 10, theirs: 0, ours: 0 });
    assert.ok(perSecond > 4, "what the modest one leaves goes to the greedy one");
  });

  it("do not with FAIR_SHARE=off: the modest one is refused for what the greedy one took", async (t) => {
    const { tally } = await greedyAndModest(t, { FAIR_SHARE: "off" });
    assert.ok(tally.theirs > 0);
  });
});

describe("a lone caller", () => {
  it("has all that upstream gives, and upstream's own 429 as it is", async (t) => {
    const { token, simulator, call } = await start(t, { requests: 30 });
    const answers = await Promise.all(Array.from({ length: 50 }, () => call(token)));
    assert.equal(simulator.counters().requests, 50, "upstream was asked each time");
    assert.equal(answers.filter(({ status }) => status === 200).length, 30);
    const refused = answers.find(({ status }) => status === 429);
    assert.equal(refused?.headers["x-relay-upstream"], "anthropic");
    assert.equal(refused?.headers["retry-after"], "2");
    assert.equal(refused?.headers["anthropic-ratelimit-requests-limit"], "30");
    assert.equal(refused?.headers["anthropic-ratelimit-requests-remaining"], "0");
    assert.match(String(refused?.body), /organization's rate limit of 30 requests per minute/);
  });
});

describe("a call whose turn is too far off", () => {
  it("is refused in our words, without asking upstream", async (t) => {
    const { relay, simulator, call } = await start(t, { requests: 30 }, { FAIR_SHARE_WAIT: "0" });
    const [greedy, other] = [
      await relay.bootstrap("greedy-one"),
      await relay.bootstrap("other-one"),
    ];
    await Promise.all(Array.from({ length: 40 }, () => call(greedy)));
    await call(other);
    const { requests } = simulator.counters();
    const refused = await call(greedy);
    assert.equal(simulator.counters().requests, requests);
    assert.equal(refused.status, 429);
    assert.equal(refused.headers["x-relay-upstream"], undefined);
    assert.match(String(refused.headers["retry-after"]), /^[1-4]$/);
    const { error } = JSON.parse(String(refused.body));
    assert.equal(error.type, "rate_limit_error");
    assert.match(error.message, /^Upstream's rate limit is used up\. .* Retry in [1-4] s\.$/);
  });
});
