import { Worker } from "node:worker_threads";
import type { RenderJob } from "./render-page.ts";
import type { RenderReply } from "./render-worker.ts";

/** Published as JavaScript, run from source as TypeScript. */
const entry = new URL(
  import.meta.url.endsWith(".ts") ? "./render-worker.ts" : "./render-worker.js",
  import.meta.url,
);

/** One worker thread, for one page at a time. Keeps the process alive only while it works. */
export class RenderThread {
  readonly #worker: Worker;
  #page: PromiseWithResolvers<RenderReply> | null = null;

  /** `onDead` is called once, however the thread ends. */
  constructor(memoryMb: number, onDead: () => void) {
    this.#worker = new Worker(entry, {
      name: "claude-relay-page",
      // Nothing of ours is in there for a page to find: no environment, no flags.
      env: {},
      execArgv: [],
      resourceLimits: {
        maxOldGenerationSizeMb: memoryMb,
        maxYoungGenerationSizeMb: 32,
        stackSizeMb: 4,
      },
    });
    this.#worker.unref();
    this.#worker.on("message", (reply: RenderReply) => this.#take()?.resolve(reply));
    // Too much memory is the page's doing, as a `null` reply is; anything else is a fault of ours.
    this.#worker.on("error", (error) =>
      isOutOfMemory(error) ? this.#take()?.resolve(null) : this.#take()?.reject(error),
    );
    this.#worker.on("exit", () => {
      this.#take()?.reject(new Error("the thread that renders pages ended"));
      onDead();
    });
  }

  /** Takes the job's bytes away from this thread. */
  run(job: RenderJob): Promise<RenderReply> {
    const page = Promise.withResolvers<RenderReply>();
    this.#page = page;
    this.#worker.ref();
    this.#worker.postMessage(job, [job.bytes.buffer]);
    return page.promise;
  }

  /** Ends the thread even amid an endless loop; a page in work is rejected. */
  async kill(): Promise<void> {
    await this.#worker.terminate();
  }

  #take(): PromiseWithResolvers<RenderReply> | null {
    const page = this.#page;
    this.#page = null;
    this.#worker.unref();
    return page;
  }
}

const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
