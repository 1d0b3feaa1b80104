import type { RouterId } from "@claude-relay/contract";
import { type RouterAnswer, RouterRefusal } from "../pipeline/router-ports.ts";

type Options = Readonly<{
  /** @param count bytes */
  random: (count: number) => Buffer;
}>;

/** How long an answer is waited for before the router is told to ask again. */
const waitMs = 6000;
/** How long a finished answer is kept. */
const keepMs = 300_000;
/** How long a running job may go without being asked for. */
const forgottenMs = 60_000;

/** What the work is given: its signal fires when nobody waits for it any more. */
type Work = (signal: AbortSignal) => Promise<RouterAnswer>;

type Job = {
  readonly router: RouterId;
  readonly leave: AbortController;
  readonly answer: Promise<RouterAnswer>;
  isDone: boolean;
  /** Its router has its answer, if it arrived. */
  isCollected: boolean;
  /** Ends it when its router never asks again, or drops its answer when that has been kept long enough. */
  timer: NodeJS.Timeout | null;
};

const mostRunning = 4;
/** Finished answers kept for one router. */
const mostKept = 16;

/**
 * Work that may take longer than a router's fetch waits. An answer that is ready soon is given at once; else the
 * router gets the job's id, to ask again with.
 */
export class Jobs {
  readonly #random: Options["random"];
  /** By id: those whose id was told. */
  readonly #told = new Map<string, Job>();
  readonly #running = new Set<Job>();
  #onCollected: (() => void) | null = null;

  constructor({ random }: Options) {
    this.#random = random;
  }

  /**
   * Gives the work's answer, or a pending one with the job's id.
   * @param left fires when the router goes away before it is answered: nobody knows the job then, so it ends
   * @throws RouterRefusal `rate_limited` when too many of this router's jobs run; else what the work throws
   */
  async run(router: RouterId, work: Work, left: AbortSignal): Promise<RouterAnswer> {
    this.#demandRoom(router);
    const job = this.#start(router, work);
    const abandon = (): void => job.leave.abort();
    left.addEventListener("abort", abandon, { once: true });
    const answer = await patiently(job).finally(() => left.removeEventListener("abort", abandon));
    if (answer !== null) {
      return answer;
    }
    const id = `j_${this.#random(16).toString("hex")}`;
    this.#told.set(id, job);
    this.#watch(id, job);
    return pending(id);
  }

  /** Waits for a job. A finished one may be asked for again: its answer may have been lost on the way. */
  async poll(router: RouterId, id: string): Promise<RouterAnswer> {
    const job = this.#told.get(id);
    if (job === undefined || job.router !== router) {
      throw new RouterRefusal(
        "job_unknown",
        "No such job of this router: its answer is kept for 5 minutes. Ask your question again.",
      );
    }
    if (!job.isDone) {
      this.#watch(id, job);
    }
    const answer = await patiently(job).finally(() => {
      job.isCollected = job.isDone;
      this.#look();
    });
    return answer ?? pending(id);
  }

  /** Resolves when no router has an answer to come for, or after a while. */
  async collected(patienceMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onCollected = resolve;
    const timer = setTimeout(resolve, patienceMs);
    this.#look();
    await promise;
    clearTimeout(timer);
  }

  #look(): void {
    if ([...this.#told.values()].every(({ isCollected }) => isCollected)) {
      this.#onCollected?.();
    }
  }

  /** Ends what runs, and forgets what is kept. */
  close(): void {
    for (const job of this.#running) {
      job.leave.abort();
    }
    for (const { timer } of this.#told.values()) {
      clearTimeout(timer ?? undefined);
    }
    this.#told.clear();
  }

  #demandRoom(router: RouterId): void {
    if ([...this.#running].filter((job) => job.router === router).length >= mostRunning) {
      throw new RouterRefusal(
        "rate_limited",
        `This router has ${mostRunning} questions running, which is the limit. Ask again when one is answered.`,
        { retry_after: 5 },
      );
    }
  }

  #start(router: RouterId, work: Work): Job {
    const leave = new AbortController();
    const job: Job = {
      router,
      leave,
      answer: work(leave.signal),
      isDone: false,
      isCollected: false,
      timer: null,
    };
    this.#running.add(job);
    const done = (): void => this.#finished(job);
    // Heard of here too, so that a failure nobody asks for any more is no fault.
    void job.answer.then(done, done);
    return job;
  }

  #finished(job: Job): void {
    job.isDone = true;
    this.#running.delete(job);
    for (const [id, told] of this.#told) {
      if (told === job) {
        this.#keep(id, job);
      }
    }
  }

  #keep(id: string, job: Job): void {
    this.#timed(job, keepMs, () => this.#told.delete(id));
    const kept = [...this.#told].filter(
      ([, { router, isDone }]) => isDone && router === job.router,
    );
    for (const [old, { timer }] of kept.slice(0, -mostKept)) {
      clearTimeout(timer ?? undefined);
      this.#told.delete(old);
    }
  }

  /** A router that never comes back must not be paid for. */
  #watch(id: string, job: Job): void {
    if (job.isDone) {
      this.#keep(id, job);
    } else {
      this.#timed(job, forgottenMs, () => job.leave.abort());
    }
  }

  #timed(job: Job, ms: number, act: () => void): void {
    clearTimeout(job.timer ?? undefined);
    job.timer = setTimeout(act, ms).unref();
  }
}

/** Null when the job is not done in time. @throws what its work throws */
const patiently = async ({ answer }: Job): Promise<RouterAnswer | null> => {
  const { promise: timeout, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(resolve, waitMs, null);
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    clearTimeout(timer);
  }
};

const pending = (job: string): RouterAnswer => ({
  success: true,
  status: "pending",
  job,
  poll_after: 2,
});
