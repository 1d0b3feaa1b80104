import type { IncomingHttpHeaders } from "node:http";
import { errorMeanings } from "@claude-relay/contract";
import type { Active, ActiveExchanges } from "./active-exchanges.ts";
import type { Admission } from "./admission.ts";
import { clientLeftStatus } from "./client-left-status.ts";
import { headersForCaller } from "./forward-headers.ts";
import { usedBy } from "./hold.ts";
import { queuedHeader } from "./hold-refusal.ts";
import { addRemaining } from "./limit-headers.ts";
import { logOutcome, logProxying } from "./line-log.ts";
import type { Log } from "./log.ts";
import { isModelCall } from "./operations.ts";
import { outcomeOf } from "./outcome.ts";
import type { PriceBook } from "./price/pricing.ts";
import { StreamWatch } from "./stream-watch.ts";
import { ping, streamError } from "./stream-words.ts";
import type {
  Admitted,
  CallerReply,
  Clock,
  Ending,
  Ledger,
  Upstream,
  UpstreamExchange,
  UpstreamFailure,
  UpstreamReceiver,
} from "./types.ts";
import { refusalFor } from "./upstream-refusal.ts";
import type { UsageMeter, UsageReport } from "./usage/usage.ts";
import { createJsonMeter } from "./usage/usage-json.ts";
import { createSseMeter } from "./usage/usage-sse.ts";

export type ForwardingDeps = Readonly<{
  upstream: Upstream;
  ledger: Ledger;
  prices: PriceBook;
  active: ActiveExchanges;
  /** Where every exchange settles what was held for it. */
  admission: Pick<Admission, "refusedAlready" | "ask" | "settle">;
  clock: Clock;
  log: Log;
  pingIntervalMs: number;
  /** With `LEDGER_SYNC=full`: resolves when the lines so far are on disk, for which an answer's end waits. */
  flushed: (() => Promise<void>) | null;
}>;

/**
 * Stages forward, meter and record of one admitted request: upstream's bytes go to the caller
 * untouched while they are counted, and whatever happens one outcome reaches the ledger.
 * /!\ Hot path: no closure and no allocation a chunk.
 */
class Forwarding implements UpstreamReceiver, Active {
  readonly #deps: ForwardingDeps;
  readonly #admitted: Admitted;
  readonly #reply: CallerReply;
  readonly #ended = Promise.withResolvers<void>();
  #exchange: UpstreamExchange | null = null;
  #meter: UsageMeter | null = null;
  /** Of a stream whose usage is counted; the others are left to themselves. */
  #watch: StreamWatch | null = null;
  #status = 0;
  #stream = false;
  #firstByteMs: number | null = null;
  #bytesLeft = -1;
  /** The caller reads slower than upstream writes: upstream waits. */
  #held = false;
  /** The status the caller had seen when it left and upstream's answer was drained; 0 while it is there. */
  #leftAt = 0;
  #lastChunk: Buffer | null = null;
  #upstreamRequestId: string | null = null;
  #over = false;
  slot = 0;

  constructor(deps: ForwardingDeps, admitted: Admitted, reply: CallerReply) {
    this.#deps = deps;
    this.#admitted = admitted;
    this.#reply = reply;
  }

  /** Calls upstream. From here on exactly one outcome follows. */
  send(): Promise<void> {
    const { upstream, active, log } = this.#deps;
    active.add(this);
    this.#reply.onLeave(() => this.#leave());
    if (!this.#over) {
      logProxying(log, this.#admitted.intent);
      try {
        this.#exchange = upstream.send(this.#admitted.request, this);
      } catch (error) {
        // A fault of ours: still one outcome follows, and what is held is given back.
        this.#record("upstream_broke", errorMeanings.internal.status, null);
        throw error;
      }
      this.#reply.onDrain(() => this.#release());
    }
    return this.#ended.promise;
  }

  onStart(status: number, headers: IncomingHttpHeaders): void {
    if (this.#over) {
      return;
    }
    const { intent, startedMs } = this.#admitted;
    const nowMs = this.#deps.clock.monotonicMs();
    this.#firstByteMs = nowMs - startedMs;
    this.#status = status;
    this.#stream = /^text\/event-stream/i.test(headers["content-type"] ?? "");
    this.#upstreamRequestId = firstOf(headers["request-id"]);
    if (isModelCall(intent.operation)) {
      this.#meter = this.#stream ? createSseMeter() : createJsonMeter();
      if (this.#stream) {
        this.#watch = new StreamWatch(this.#deps, intent, this.#meter, startedMs, nowMs);
      }
    }
    const length = headers["content-length"];
    this.#bytesLeft = this.#stream || length === undefined ? -1 : Number(length);
    const ours = ["x-relay-upstream", this.#deps.upstream.name, "x-relay-request-id", intent.id];
    const { queuedMs } = this.#admitted.granted;
    if (queuedMs !== undefined) {
      ours.push(queuedHeader, String(queuedMs));
    }
    if (this.#leftAt === 0) {
      const shown = headersForCaller(headers, !this.#stream, ours);
      // An error, and what is no model call, stays as upstream sent it.
      if (status < 300 && isModelCall(intent.operation)) {
        addRemaining(shown, this.#admitted.granted, this.#deps.clock.now());
      }
      try {
        this.#reply.start(status, shown);
      } catch (error) {
        this.#faulted(error);
      }
    }
  }

  onData(chunk: Buffer): void {
    if (this.#over) {
      return;
    }
    this.#watch?.heard(this.#deps.clock.monotonicMs());
    this.#meter?.push(chunk);
    if (this.#bytesLeft > 0) {
      this.#bytesLeft -= chunk.length;
      if (this.#bytesLeft === 0) {
        // The end follows in the same turn: one write instead of two.
        this.#lastChunk = chunk;
        return;
      }
    }
    this.#write(chunk);
  }

  onEnd(): void {
    if (this.#over) {
      return;
    }
    const report = this.#meter?.report() ?? null;
    if (this.#stream && this.#status < 400 && report !== null && isCut(report)) {
      this.#breakOff(
        "upstream_broke",
        "Upstream ended the stream before its message was complete.",
      );
      return;
    }
    const { flushed } = this.#deps;
    try {
      if (flushed === null) {
        this.#end();
        this.#recordTold("complete", report);
        this.#ended.resolve();
      } else {
        this.#recordTold("complete", report);
        // A line that did not reach the disk is tried again by the journal; the answer is not held back for it.
        const end = (): void => this.#end();
        flushed().then(end, end).then(this.#ended.resolve, this.#ended.reject);
      }
    } catch (error) {
      this.#faulted(error);
    }
    this.#admitted.releaseBody();
  }

  onFailure(failure: UpstreamFailure): void {
    if (this.#over) {
      return;
    }
    this.#fail("upstream_broke", "The connection to upstream broke off mid-answer.", failure);
  }

  tick(nowMs: number): void {
    const watch = this.#watch;
    if (watch === null || this.#over) {
      return;
    }
    if (!this.#held && watch.needsPing(nowMs)) {
      watch.heard(nowMs);
      this.#write(ping);
    }
    watch.markProgress(nowMs);
  }

  abandon(): void {
    this.#exchange?.cancel();
    const message = "The relay is shutting down.";
    const sent = this.#exchange?.sent ?? false;
    this.#fail("process_died", message, { kind: "unreachable", message, sent });
  }

  #end(): void {
    if (this.#leftAt === 0) {
      this.#reply.end(this.#lastChunk);
    }
  }

  #write(chunk: Buffer): void {
    if (this.#leftAt !== 0) {
      return;
    }
    try {
      if (!this.#reply.write(chunk)) {
        this.#held = true;
        this.#exchange?.pause();
      }
    } catch (error) {
      this.#faulted(error);
    }
  }

  #release(): void {
    this.#held = false;
    // The silence until now was the caller's, not upstream's.
    this.#watch?.heard(this.#deps.clock.monotonicMs());
    this.#exchange?.resume();
  }

  #leave(): void {
    if (this.#over) {
      return;
    }
    if (this.#admitted.drain && this.#exchange?.sent === true) {
      this.#drain();
      return;
    }
    this.#exchange?.cancel();
    this.#record("client_left", this.#status || clientLeftStatus);
    this.#ended.resolve();
  }

  /** Nobody reads any more, but the policy wants the answer measured: it is read to its end. */
  #drain(): void {
    this.#leftAt = this.#status || clientLeftStatus;
    this.#held = false;
    this.#exchange?.resume();
  }

  /** An answer that has begun ends with last words; one that has not is a refusal. */
  #fail(ending: Ending, lastWords: string, failure: UpstreamFailure): void {
    if (this.#status !== 0) {
      this.#breakOff(ending, lastWords);
      return;
    }
    const refusal = refusalFor(failure);
    this.#record(ending, errorMeanings[refusal.code].status, null, failure.sent);
    this.#ended.reject(refusal);
  }

  #breakOff(ending: Ending, message: string): void {
    const between = this.#meter?.atEventBoundary ?? true;
    const words = this.#stream ? streamError(message, this.#admitted.intent.id, between) : null;
    try {
      if (this.#leftAt === 0) {
        this.#reply.breakOff(words);
      }
      this.#recordTold(ending);
      this.#ended.resolve();
    } catch (error) {
      this.#faulted(error);
    }
  }

  /** A fault of ours in what the caller is answered: still one outcome follows, and the door ends the answer. */
  #faulted(error: unknown): void {
    this.#exchange?.cancel();
    if (!this.#over) {
      this.#record("upstream_broke", this.#status);
    }
    this.#ended.reject(error);
  }

  /** The row says what the caller was told, where that is not what upstream said. */
  #recordTold(ending: Ending, report = this.#meter?.report() ?? null): void {
    const told = this.#leftAt === 0 ? this.#reply.told?.(this.#lastChunk) : undefined;
    const errorType = report?.errorType ?? told?.errorType ?? null;
    this.#record(ending, told?.status ?? this.#status, report && { ...report, errorType });
  }

  #record(
    ending: Ending,
    status: number,
    report: UsageReport | null = this.#meter?.report() ?? null,
    sent = this.#exchange?.sent ?? false,
  ): void {
    this.#over = true;
    const { active, clock, ledger, log, prices } = this.#deps;
    active.delete(this);
    const outcome = outcomeOf(
      {
        intent: this.#admitted.intent,
        ending: this.#leftAt === 0 ? ending : "client_left",
        status: this.#leftAt || status,
        upstreamStatus: this.#status,
        sent,
        report,
        durationMs: clock.monotonicMs() - this.#admitted.startedMs,
        firstByteMs: this.#firstByteMs,
        upstreamRequestId: this.#upstreamRequestId,
        billing: this.#deps.upstream.billing,
      },
      prices,
    );
    ledger.close(outcome);
    const isOurRefusal = !sent && ourRefusals.has(this.#status || status);
    const used = usedBy(outcome);
    this.#exchange?.used?.(used);
    this.#deps.admission.settle(outcome.id, isOurRefusal ? null : used);
    logOutcome(log, outcome);
  }
}

const firstOf = (header: string | string[] | undefined): string | null =>
  (Array.isArray(header) ? header[0] : header) ?? null;

/** A message that neither came to its end nor said why. */
const isCut = ({ complete, errorType }: UsageReport): boolean => !complete && errorType === null;

/** What the relay says when it has no room or nothing to ask: a request that is answered so counts for no day. */
const ourRefusals: ReadonlySet<number> = new Set([429, 503]);

/** Runs the last three stages. Resolves when the exchange is over. @throws Refusal when no answer came */
export const forward = (
  deps: ForwardingDeps,
  admitted: Admitted,
  reply: CallerReply,
): Promise<void> => new Forwarding(deps, admitted, reply).send();
