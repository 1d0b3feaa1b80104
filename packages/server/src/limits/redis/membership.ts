import { setTimeout as sleep } from "node:timers/promises";
import type { EpochMs } from "@claude-relay/contract";
import type { Scope } from "../../pipeline/admission.ts";
import type { Log } from "../../pipeline/log.ts";
import { scopeName } from "../scope-name.ts";
import type { RedisConnection, ScriptReply } from "./connection.ts";
import type { Scripts } from "./lua/scripts.ts";
import type { RedisClock } from "./redis-clock.ts";

type Options = Readonly<{
  connection: RedisConnection;
  scripts: Scripts;
  clock: RedisClock;
  /** This process: never the same twice. */
  instance: string;
  newNonce: () => string;
  /** The instance this one follows, which died; null when it ended in order, or there was none. */
  died: string | null;
  /** Resolves when whatever the ledger was told before can be read from anywhere. */
  ledgerCaughtUp: () => Promise<void>;
  countedToday: () => Promise<readonly Readonly<{ scope: Scope; requests: number }>[]>;
  /**
   * Tells Redis what it must know: every open request when the epoch is new to us, otherwise what it may have
   * missed. Everything is sent before it returns; it resolves to whether Redis has it.
   */
  tell: (isNewEpoch: boolean) => Promise<boolean>;
  /** Requests that ended while Redis was away and that it is not told of: the ledger knows. */
  silence: Readonly<{
    endSilence(): EpochMs | null;
    resumeSilence(since: EpochMs | null): void;
  }>;
  heartbeatMs: number;
  monotonicMs: () => number;
  log: Log;
}>;

/** Others wait for our holds no longer than that; ours must not wait for the ledger much longer. */
const ledgerPatienceMs = 3_000;
const heartbeatPatienceMs = 900;
/** A flushed Redis names nobody who has not come back yet: they are known from before. */
const peerMemoryMs = 5_000;
const mostAttempts = 5;

/**
 * This instance's part in the epoch: the generation of counters in Redis. When Redis was flushed or restarted a new
 * one begins, and every instance tells it its open requests before the ledger is asked for what was spent.
 */
export class Membership {
  readonly #options: Options;
  #epoch = "none";
  /** Until Redis has heard of it. */
  #died: string | null;
  /** The others, and when Redis last said, by its own clock, that they are alive. */
  readonly #peers = new Map<string, number>();
  /** Whether it ever was part of an epoch. */
  #hasCounted = false;
  #joining: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** When the last heartbeat was sent; null when it was answered. */
  #beatSince: number | null = null;

  constructor(options: Options) {
    this.#options = options;
    this.#died = options.died;
  }

  /** Whether Redis knows that the instance this one follows died. */
  get hasTakenOver(): boolean {
    return this.#died === null;
  }

  get epoch(): string {
    return this.#epoch;
  }

  /** How many instances are alive, this one among them. */
  get instances(): number {
    return this.#peers.size + 1;
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
    this.#joining ??= this.#joinPresent().finally(() => {
      this.#joining = null;
    });
    return this.#joining;
  }

  /** An epoch may end while it is joined; then there is another. */
  async #joinPresent(): Promise<void> {
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      if (await this.#join()) {
        return;
      }
    }
    throw new Error("epochs in Redis end faster than they can be joined");
  }

  /** False when the epoch ended meanwhile, or went on without us. */
  async #join(): Promise<boolean> {
    const { connection, scripts, clock, instance, log } = this.#options;
    const [runId] = await Promise.all([
      connection.runId(),
      // Here, for a script that must be sent again comes after what was asked later.
      connection.load(Object.values(scripts)),
    ]);
    const [epoch, now] = await this.#enter(runId);
    this.#died = null;
    clock.saw(Number(now));
    const isNew = epoch !== this.#epoch;
    this.#epoch = String(epoch);
    const hasTold = this.#options.tell(isNew);
    if (isNew) {
      log.info({ epoch }, "counters in Redis begin anew, from the ledger and what is open");
      await Promise.all([hasTold, this.#readLedger(), this.#warnOfEviction()]);
    }
    if (!(await hasTold)) {
      return false;
    }
    const told = [this.#epoch, instance, Number(this.#hasCounted)];
    const [answer] = await connection.run(scripts.joined, told);
    const isPart = answer === "ok";
    this.#hasCounted ||= isPart;
    return isPart;
  }

  /** Gives the epoch and Redis's time. */
  async #enter(runId: string): Promise<ScriptReply> {
    const { connection, scripts, instance, newNonce, silence } = this.#options;
    const silentSince = silence.endSilence();
    const args = [runId, newNonce(), instance, this.#died ?? "-"];
    const more = [Number(this.#hasCounted), silentSince ?? "-", ...this.#peers.keys()];
    try {
      return await connection.run(scripts.join, [...args, ...more]);
    } catch (error) {
      silence.resumeSilence(silentSince);
      throw error;
    }
  }

  /** As long as others would wait for us; then without. */
  async #readLedger(): Promise<void> {
    const { ledgerCaughtUp, log } = this.#options;
    const impatience = new AbortController();
    const late = sleep(ledgerPatienceMs, null, { ref: false, signal: impatience.signal });
    const read = Promise.all([ledgerCaughtUp(), this.#countToday()]).catch((error: unknown) =>
      log.warn({ err: error }, "the ledger could not be read for a new epoch in Redis"),
    );
    await Promise.race([read, late]);
    impatience.abort();
  }

  async #countToday(): Promise<void> {
    const { connection, scripts, countedToday } = this.#options;
    const counted = await countedToday();
    if (counted.length > 0) {
      const args = counted.flatMap(({ scope, requests }) => [scopeName(scope), requests]);
      await connection.run(scripts.counted, [this.#epoch, ...args]);
    }
  }

  async #warnOfEviction(): Promise<void> {
    const { connection, log } = this.#options;
    const policy = await connection.evictionPolicy();
    if (policy !== "noeviction") {
      const remedy =
        "set maxmemory-policy noeviction: holds that are dropped are money not counted";
      log.warn({ policy }, `Redis drops names when its memory is full; ${remedy}`);
    }
  }

  /** A heartbeat without an answer shows that Redis hangs before a request has to find out. */
  async #beat(): Promise<void> {
    const { connection, scripts, clock, instance, monotonicMs } = this.#options;
    if (!connection.up) {
      return;
    }
    if (this.#beatSince !== null) {
      if (monotonicMs() - this.#beatSince >= heartbeatPatienceMs) {
        connection.trip("a heartbeat was not answered");
      }
      return;
    }
    this.#beatSince = monotonicMs();
    try {
      const [answer, now, ...peers] = await connection.run(scripts.heartbeat, [
        this.#epoch,
        instance,
      ]);
      if (answer === "epoch") {
        await this.join();
      } else {
        clock.saw(Number(now));
        this.#saw(peers.map(String), Number(now));
      }
    } catch (error) {
      connection.trip(error instanceof Error ? error.message : String(error));
    } finally {
      this.#beatSince = null;
    }
  }

  #saw(alive: readonly string[], now: number): void {
    for (const peer of alive) {
      this.#peers.set(peer, now);
    }
    for (const [peer, seenAt] of this.#peers) {
      if (now - seenAt > peerMemoryMs) {
        this.#peers.delete(peer);
      }
    }
  }
}
