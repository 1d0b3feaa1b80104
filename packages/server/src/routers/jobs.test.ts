import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import type { RouterId } from "@claude-relay/contract";
import { type RouterAnswer, RouterRefusal } from "../pipeline/router-ports.ts";
import { Jobs } from "./jobs.ts";

const router = "office" as RouterId;
const stays = new AbortController().signal;
const answer: RouterAnswer = { success: true, text: "x" };

/** Lets promises that are settled be heard of. */
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) {
    await Promise.resolve();
  }
};

const setUp = () => {
  const jobs = new Jobs({ random: randomBytes });
  const work = Promise.withResolvers<RouterAnswer>();
  let signal: AbortSignal = stays;
  /** Asks, waits as long as a router is made to, and gives the job's id. */
  const told = async (): Promise<string> => {
    const asked = jobs.run(
      router,
      (given) => {
        signal = given;
        return work.promise;
      },
      stays,
    );
    mock.timers.tick(6000);
    return String((await asked)["job"]);
  };
  return { jobs, work, told, isLeft: () => signal.aborted };
};

describe("a job", () => {
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
  afterEach(() => mock.timers.reset());

  it("that is done soon is just an answer, or what the work throws", async () => {
    const { jobs } = setUp();
    assert.equal(await jobs.run(router, async () => answer, stays), answer);
    const refusal = new RouterRefusal("timeout", "slow");
    await assert.rejects(
      jobs.run(router, () => Promise.reject(refusal), stays),
      refusal,
    );
  });

  it("is waited for by a relay that stops, until its router has the answer", async () => {
    const { jobs, work, told } = setUp();
    let isOver = false;
    const idle = jobs.collected(10_000);
    await idle;
    const id = await told();
    const collected = jobs.collected(10_000).then(() => {
      isOver = true;
    });
    work.resolve(answer);
    await turns();
    assert.equal(isOver, false);
    assert.equal(await jobs.poll(router, id), answer);
    await collected;
  });

  it("whose router does not come back holds a stopping relay up for a while only", async () => {
    const { jobs, work, told } = setUp();
    await told();
    work.resolve(answer);
    await turns();
    const collected = jobs.collected(10_000);
    mock.timers.tick(10_000);
    await collected;
  });

  it("is kept for five minutes after it is done, for its own router", async () => {
    const { jobs, work, told } = setUp();
    const id = await told();
    work.resolve(answer);
    await turns();
    mock.timers.tick(299_999);
    assert.equal(await jobs.poll(router, id), answer);
    await assert.rejects(jobs.poll("branch" as RouterId, id), { code: "job_unknown" });
    mock.timers.tick(1);
    await assert.rejects(jobs.poll(router, id), { code: "job_unknown" });
  });

  it("that is never asked for again is ended after a minute; asking keeps it", async () => {
    const { jobs, told, isLeft } = setUp();
    const id = await told();
    mock.timers.tick(59_000);
    const polled = jobs.poll(router, id);
    mock.timers.tick(6000);
    assert.equal((await polled)["status"], "pending");
    mock.timers.tick(53_999);
    assert.equal(isLeft(), false);
    mock.timers.tick(1);
    assert.equal(isLeft(), true);
  });

  it("ends when its router goes away before it knows the job's id, and not after", async () => {
    const { jobs } = setUp();
    const leaving = new AbortController();
    let isLeft = false;
    const asked = jobs.run(
      router,
      (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            isLeft = true;
            reject(new RouterRefusal("timeout", "left"));
          });
        }),
      leaving.signal,
    );
    leaving.abort();
    await assert.rejects(asked);
    assert.equal(isLeft, true);
  });

  it("ends with the relay", async () => {
    const { jobs, told, isLeft } = setUp();
    const id = await told();
    jobs.close();
    assert.equal(isLeft(), true);
    await assert.rejects(jobs.poll(router, id), { code: "job_unknown" });
  });

  it("is one of sixteen finished ones that are kept", async () => {
    const { jobs } = setUp();
    const ids: string[] = [];
    for (let count = 0; count < 17; count += 1) {
      const work = Promise.withResolvers<RouterAnswer>();
      const asked = jobs.run(router, () => work.promise, stays);
      mock.timers.tick(6000);
      ids.push(String((await asked)["job"]));
      work.resolve(answer);
      await turns();
    }
    await assert.rejects(jobs.poll(router, ids[0]!), { code: "job_unknown" });
    assert.equal(await jobs.poll(router, ids[1]!), answer);
  });
});
