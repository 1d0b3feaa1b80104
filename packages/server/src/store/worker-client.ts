import { Worker } from "node:worker_threads";
import { Refusal } from "../pipeline/refusal.ts";
import { type OnFault, reason } from "./faults.ts";
import type { Position } from "./segments.ts";
import type { FromWorker, Ports, ToWorker, WorkerStart } from "./worker-messages.ts";

export type WorkerClientOptions = Readonly<{
  start: Omit<WorkerStart, "recover">;
  onFault: OnFault;
  onFolded: (position: Position) => void;
  /** Where the journal ends now; everything before it is in the kernel's hands. */
  journalEnd: () => Position;
}>;

type Ready = Extract<FromWorker, { kind: "ready" }>;
type Pending = PromiseWithResolvers<unknown>;

const respawnMs = 1_000;
/** Published as JavaScript, run from source as TypeScript. */
const entry = new URL(
  import.meta.url.endsWith(".ts") ? "./store-worker.ts" : "./store-worker.js",
  import.meta.url,
);

/** The main thread's end of the worker: calls in order, a new worker when one dies. */
export class WorkerClient {
  readonly #options: WorkerClientOptions;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | null = null;
  #lastId = 0;
  #databaseHealthy = true;
  #stopping = false;
  #exited = Promise.withResolvers<void>();

  constructor(options: WorkerClientOptions) {
    this.#options = options;
  }

  /** Starts the first worker, which recovers what an earlier process left. @throws Error with the remedy. */
  start(): Promise<Ready> {
    return this.#spawn(true);
  }

  /** False while work is refused. What is meant for a Postgres that is away waits in the journal, so that is none. */
  get healthy(): boolean {
    const spools = this.#options.start.postgres !== null;
    return this.#worker !== null && (this.#databaseHealthy || spools);
  }

  fold(target: Position): void {
    this.#post({ kind: "fold", target });
  }

  /** @throws Refusal as the port does, or `storage_unavailable` while there is no worker. */
  async call(port: keyof Ports, method: string, args: readonly unknown[]): Promise<unknown> {
    if (this.#worker === null || this.#stopping) {
      throw unavailable();
    }
    const id = ++this.#lastId;
    const pending: Pending = Promise.withResolvers();
    const target = this.#options.journalEnd();
    this.#post({ kind: "call", id, port, method, args, target });
    this.#pending.set(id, pending);
    return pending.promise;
  }

  /** Lets the worker finish what it was asked, fold up to `target` and close. */
  async stop(target: Position): Promise<void> {
    this.#stopping = true;
    if (this.#worker === null) {
      return;
    }
    this.#post({ kind: "stop", target });
    await this.#exited.promise;
  }

  #spawn(recover: boolean): Promise<Ready> {
    const ready = Promise.withResolvers<Ready>();
    const workerData: WorkerStart = { ...this.#options.start, recover };
    const worker = new Worker(entry, { workerData, name: "claude-relay-store" });
    this.#exited = Promise.withResolvers();
    let death = "it ended by itself";
    worker.on("message", (message: FromWorker) => {
      if (message.kind === "ready") {
        this.#worker = worker;
        ready.resolve(message);
      } else if (message.kind === "refused_start") {
        ready.reject(new Error(message.message));
      } else {
        this.#receive(message);
      }
    });
    worker.on("error", (error) => {
      death = reason(error);
    });
    worker.on("exit", () => {
      ready.reject(new Error(`The store's worker could not start: ${death}`));
      if (this.#worker === worker) {
        this.#died(death);
      }
    });
    return ready.promise;
  }

  #receive(message: Exclude<FromWorker, { kind: "ready" | "refused_start" }>): void {
    switch (message.kind) {
      case "folded":
        this.#options.onFolded(message.position);
        return;
      case "fault":
        if (message.fault.kind === "database_unwritable") {
          this.#databaseHealthy = false;
        }
        if (message.fault.kind === "database_healed") {
          this.#databaseHealthy = true;
        }
        this.#options.onFault(message.fault);
        return;
      case "result":
        this.#take(message.id)?.resolve(message.value);
        return;
      case "failure":
        this.#take(message.id)?.reject(toError(message));
        return;
      default:
        message satisfies never;
    }
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #post(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #died(why: string): void {
    this.#worker = null;
    for (const pending of this.#pending.values()) {
      pending.reject(unavailable());
    }
    this.#pending.clear();
    this.#exited.resolve();
    if (this.#stopping) {
      return;
    }
    this.#options.onFault({ kind: "worker_died", message: `The store's worker died: ${why}` });
    this.#respawnLater();
  }

  #respawnLater(): void {
    setTimeout(() => {
      if (this.#stopping) {
        return;
      }
      this.#spawn(false).then(
        () => {
          this.#databaseHealthy = true;
          this.#options.onFault({ kind: "worker_healed", message: "The store's worker is back" });
          this.fold(this.#options.journalEnd());
        },
        (error: unknown) => {
          this.#options.onFault({ kind: "worker_died", message: reason(error) });
          this.#respawnLater();
        },
      );
    }, respawnMs);
  }
}

const toError = (failure: Extract<FromWorker, { kind: "failure" }>): Error =>
  failure.code === "storage_unavailable"
    ? new Refusal(failure.code, failure.message, { retryAfterSeconds: 5 })
    : failure.code === "internal"
      ? new Error(failure.message)
      : new Refusal(failure.code, failure.message);

const unavailable = (): Refusal =>
  new Refusal("storage_unavailable", "The relay's store is not available. Try again shortly.", {
    retryAfterSeconds: 5,
  });
