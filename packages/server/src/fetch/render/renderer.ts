import { tooComplex } from "../faults.ts";
import type { Rendered, RenderJob } from "./render-page.ts";
import { RenderThread } from "./render-thread.ts";

export type RendererOptions = Readonly<{
  /** Threads at most; started when needed. */
  threads: number;
  /** A page that takes longer costs its thread its life. Counted from when a thread takes it up. */
  renderMs: number;
  /** Heap of a thread; a page that needs more costs its thread its life, too. */
  memoryMb: number;
  /** A thread without work for so long ends. */
  idleMs: number;
}>;

type Task = Readonly<{ job: RenderJob; signal: AbortSignal; done: PromiseWithResolvers<Rendered> }>;

/**
 * Parses and converts pages in worker threads, so that a hostile page stalls no stream: the main thread only
 * hands bytes over. Threads are kept for the next page; one that overruns its time or memory is killed.
 */
export class Renderer {
  readonly #options: RendererOptions;
  readonly #waiting: Task[] = [];
  readonly #threads = new Set<RenderThread>();
  readonly #idle = new Map<RenderThread, NodeJS.Timeout>();
  #busy = 0;
  #closed = false;

  constructor(options: RendererOptions) {
    this.#options = options;
  }

  /** @throws Refusal when the page is too much; the signal's reason when aborted. */
  render(job: RenderJob, signal: AbortSignal): Promise<Rendered> {
    const done = Promise.withResolvers<Rendered>();
    // Also while it waits for a thread; a running one is killed in #work.
    const onAbort = (): void => done.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waiting.push({ job, signal, done });
    this.#next();
    return done.promise.finally(() => signal.removeEventListener("abort", onAbort));
  }

  /** How many threads there are; they come with work and go when idle. */
  get threads(): number {
    return this.#threads.size;
  }

  /** Ends every thread; pages waiting or in work are given up. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { done } of this.#waiting.splice(0)) {
      done.reject(closed());
    }
    await Promise.all([...this.#threads].map((thread) => thread.kill()));
  }

  #next(): void {
    while (this.#busy < this.#options.threads) {
      const task = this.#waiting.shift();
      if (task === undefined) {
        return;
      }
      if (task.signal.aborted || this.#closed) {
        task.done.reject(task.signal.aborted ? task.signal.reason : closed());
        continue;
      }
      this.#busy += 1;
      void this.#work(task).finally(() => {
        this.#busy -= 1;
        this.#next();
      });
    }
  }

  async #work({ job, signal, done }: Task): Promise<void> {
    const thread = this.#takeThread();
    const giveUp = (why: unknown): void => {
      done.reject(why);
      void thread.kill();
    };
    const onAbort = (): void => giveUp(signal.reason);
    const timer = setTimeout(() => giveUp(tooComplex()), this.#options.renderMs);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const reply = await thread.run(job);
      if (reply === null) {
        giveUp(tooComplex());
      } else {
        this.#putAside(thread);
        done.resolve(reply);
      }
    } catch (error) {
      giveUp(error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }

  #takeThread(): RenderThread {
    const [idle] = this.#idle.keys();
    if (idle !== undefined) {
      clearTimeout(this.#idle.get(idle));
      this.#idle.delete(idle);
      return idle;
    }
    const thread = new RenderThread(this.#options.memoryMb, () => {
      clearTimeout(this.#idle.get(thread));
      this.#idle.delete(thread);
      this.#threads.delete(thread);
    });
    this.#threads.add(thread);
    return thread;
  }

  #putAside(thread: RenderThread): void {
    this.#idle.set(thread, setTimeout(() => void thread.kill(), this.#options.idleMs).unref());
  }
}

const closed = (): Error => new Error("the renderer is closed");
