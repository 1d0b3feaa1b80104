import type { Log } from "../../pipeline/log.ts";
import type { RedisConnection } from "./connection.ts";
import type { Scripts } from "./lua/scripts.ts";
import type { RedisClock } from "./redis-clock.ts";

type Options = Readonly<{
  connection: RedisConnection;
  scripts: Scripts;
  clock: RedisClock;
  /** This process: never the same twice. */
  instance: string;
  newNonce: () => string;
  /** Resolves when whatever the ledger was told before can be read from anywhere. */
  ledgerCaughtUp: () => Promise<void>;
  /**
   * Tells Redis what it must know: every open request when the epoch is new to us, otherwise what it may have
   * missed. Everything is sent before it returns.
   */
  tell: (isNewEpoch: boolean) => Promise<void>;
  heartbeatMs: number;
  log: Log;
}>;

/** Others wait for our holds no longer than that; ours must not wait for the ledger much longer. */
const ledgerPatienceMs = 3_000;

/**
 * This instance's part in the epoch: the generation of counters in Redis. When Redis was flushed or restarted a new
 * one begins, and every instance tells it its open requests before the ledger is asked for what was spent.
 */
export class Membership {
  readonly #options: Options;
  #epoch = "none";
  #peers: readonly (string | number)[] = [];
  #joining: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isBeating = false;

  constructor(options: Options) {
    this.#options = options;
  }

  get epoch(): string {
    return this.#epoch;
  }

  /** How many instances are alive, this one among them. */
  get instances(): number {
    return this.#peers.length + 1;
  }

  startHeartbeat(): void {
    this.#timer ??= setInterval(() => void this.#beat(), this.#options.heartbeatMs);
    this.#timer.unref();
  }

  stopHeartbeat(): void {
    clearInterval(this.#timer ?? undefined);
    this.#timer = null;
  }

  /** Joins the present epoch, after a connection or when Redis said that ours is over. */
  join(): Promise<void> {
    this.#joining ??= this.#join().finally(() => {
      this.#joining = null;
    });
    return this.#joining;
  }

  async #join(): Promise<void> {
    const { connection, scripts, clock, instance, newNonce, log } = this.#options;
    const [runId] = await Promise.all([
      connection.runId(),
      // Here, for a script that must be sent again comes after what was asked later.
      connection.load(Object.values(scripts)),
    ]);
    const [epoch, now] = await connection.run(scripts.join, [
      runId,
      newNonce(),
      instance,
      ...this.#peers,
    ]);
    clock.saw(Number(now));
    const isNew = epoch !== this.#epoch;
    this.#epoch = String(epoch);
    const told = this.#options.tell(isNew);
    if (isNew) {
      log.info({ epoch }, "counters in Redis begin anew, from the ledger and what is open");
      await Promise.all([told, this.#ledgerCaughtUp()]);
    }
    await told;
    const [answer] = await connection.run(scripts.joined, [this.#epoch, instance]);
    if (answer !== "ok") {
      throw new Error("the epoch ended while it was joined");
    }
  }

  async #ledgerCaughtUp(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const impatience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ledgerPatienceMs);
      timer.unref();
    });
    await Promise.race([this.#options.ledgerCaughtUp(), impatience]);
    clearTimeout(timer);
  }

  /** A heartbeat not answered until the next one is due shows that Redis hangs before a request has to find out. */
  async #beat(): Promise<void> {
    const { connection, scripts, clock, instance } = this.#options;
    if (!connection.up) {
      return;
    }
    if (this.#isBeating) {
      connection.trip("a heartbeat was not answered");
      return;
    }
    this.#isBeating = true;
    try {
      const [answer, now, ...peers] = await connection.run(scripts.heartbeat, [
        this.#epoch,
        instance,
      ]);
      if (answer === "epoch") {
        await this.join();
      } else {
        clock.saw(Number(now));
        this.#peers = peers;
      }
    } catch (error) {
      connection.trip(error instanceof Error ? error.message : String(error));
    } finally {
      this.#isBeating = false;
    }
  }
}
