import type { IncomingHttpHeaders } from "node:http";
import { errorMeanings } from "@claude-relay/contract";
import type { Active, ActiveExchanges } from "./active-exchanges.ts";
import { headersForCaller } from "./forward-headers.ts";
import { logOutcome, logProxying } from "./line-log.ts";
import type { Log } from "./log.ts";
import { outcomeOf } from "./outcome.ts";
import type { PriceBook } from "./pricing.ts";
import type { Refusal } from "./refusal.ts";
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
import type { UsageMeter, UsageReport } from "./usage.ts";
import { createJsonMeter } from "./usage-json.ts";
import { createSseMeter } from "./usage-sse.ts";

export type ForwardingDeps = Readonly<{
  upstream: Upstream;
  ledger: Ledger;
  prices: PriceBook;
  active: ActiveExchanges;
  clock: Clock;
  log: Log;
  pingIntervalMs: number;
  /** With `LEDGER_SYNC=full`: resolves when the lines so far are on disk, for which an answer's end waits. */
  flushed: (() => Promise<void>) | null;
}>;

/** 499: nobody was there any more to see a status (nginx's word for it). */
const clientLeftStatus = 499;

/**
 * Stages forward, meter and record of one admitted request: upstream's bytes go to the caller
 * untouched while they are counted, and whatever happens one outcome reaches the ledger.
 * /!\ Hot path: one object a request, no closure and no allocation a chunk.
 */
export class Forwarding implements UpstreamReceiver, Active {
  readonly #deps: ForwardingDeps;
  readonly #admitted: Admitted;
  readonly #reply: CallerReply;
  readonly #startedMs: number;
  readonly #done: () => void;
  readonly #refuse: (refusal: Refusal) => void;
  #exchange: UpstreamExchange | null = null;
  #meter: UsageMeter | null = null;
  #status = 0;
  #stream = false;
  #firstByteMs: number | null = null;
  #lastByteMs: number;
  #bytesLeft = -1;
  /** The caller reads slower than upstream writes: upstream waits. */
  #held = false;
  #lastChunk: Buffer | null = null;
  #upstreamRequestId: string | null = null;
  #markedOutput = 0;
  #markedMs: number;
  #over = false;
  slot = 0;

  constructor(
    deps: ForwardingDeps,
    admitted: Admitted,
    reply: CallerReply,
    done: () => void,
    refuse: (refusal: Refusal) => void,
  ) {
    this.#deps = deps;
    this.#admitted = admitted;
    this.#reply = reply;
    this.#startedMs = admitted.startedMs;
    this.#lastByteMs = admitted.startedMs;
    this.#markedMs = admitted.startedMs;
    this.#done = done;
    this.#refuse = refuse;
  }

  /** Calls upstream. From here on exactly one outcome follows. */
  send(): void {
    const { upstream, active, log } = this.#deps;
    active.add(this);
    this.#reply.onLeave(() => this.#leave());
    if (this.#over) {
      return;
    }
    logProxying(log, this.#admitted.intent);
    this.#exchange = upstream.send(this.#admitted.request, this);
    this.#reply.onDrain(() => this.#release());
  }

  onStart(status: number, headers: IncomingHttpHeaders): void {
    const { clock, upstream } = this.#deps;
    this.#lastByteMs = clock.monotonicMs();
    this.#firstByteMs = this.#lastByteMs - this.#startedMs;
    this.#status = status;
    this.#stream = headers["content-type"]?.startsWith("text/event-stream") ?? false;
    this.#upstreamRequestId = firstOf(headers["request-id"]);
    if (this.#admitted.intent.operation === "messages") {
      this.#meter = this.#stream ? createSseMeter() : createJsonMeter();
    }
    const length = headers["content-length"];
    this.#bytesLeft = this.#stream || length === undefined ? -1 : Number(length);
    this.#reply.start(
      status,
      headersForCaller(headers, !this.#stream, [
        "x-relay-upstream",
        upstream.name,
        "x-relay-request-id",
        this.#admitted.intent.id,
      ]),
    );
  }

  onData(chunk: Buffer): void {
    this.#lastByteMs = this.#deps.clock.monotonicMs();
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
    const report = this.#meter?.report() ?? null;
    if (this.#isCut(report)) {
      this.#breakOff(
        "upstream_broke",
        "Upstream ended the stream before its message was complete.",
      );
      return;
    }
    const { flushed } = this.#deps;
    if (flushed === null) {
      this.#reply.end(this.#lastChunk);
      this.#record("complete", this.#status, report);
    } else {
      this.#record("complete", this.#status, report);
      const end = (): void => this.#reply.end(this.#lastChunk);
      // A line that did not reach the disk is tried again by the journal; the answer is not held back for it.
      flushed().then(end, end);
    }
    this.#admitted.releaseBody();
    this.#done();
  }

  onFailure(failure: UpstreamFailure): void {
    if (this.#status !== 0) {
      this.#breakOff("upstream_broke", "The connection to upstream broke off mid-answer.");
      return;
    }
    const refusal = refusalFor(failure);
    this.#record("upstream_broke", errorMeanings[refusal.code].status, null, failure.sent);
    this.#refuse(refusal);
  }

  tick(nowMs: number): void {
    if (!this.#stream || this.#over || this.#meter === null) {
      return;
    }
    const silent = !this.#held && nowMs - this.#lastByteMs >= this.#deps.pingIntervalMs;
    if (silent && this.#meter.atEventBoundary) {
      this.#lastByteMs = nowMs;
      this.#write(ping);
    }
    this.#markProgress(nowMs);
  }

  abandon(): void {
    this.#exchange?.cancel();
    if (this.#status !== 0) {
      this.#breakOff("process_died", "The relay is shutting down.");
      return;
    }
    const refusal = refusalFor({
      kind: "unreachable",
      message: "The relay is shutting down.",
      sent: true,
    });
    this.#record("process_died", errorMeanings[refusal.code].status);
    this.#refuse(refusal);
  }

  #write(chunk: Buffer): void {
    if (!this.#reply.write(chunk)) {
      this.#held = true;
      this.#exchange?.pause();
    }
  }

  #release(): void {
    this.#held = false;
    // The silence until now was the caller's, not upstream's.
    this.#lastByteMs = this.#deps.clock.monotonicMs();
    this.#exchange?.resume();
  }

  #leave(): void {
    if (this.#over) {
      return;
    }
    this.#exchange?.cancel();
    this.#record("client_left", this.#status || clientLeftStatus);
    this.#done();
  }

  /** A stream that ended without its message's end, and without saying why. */
  #isCut(report: UsageReport | null): boolean {
    return (
      this.#stream &&
      this.#status < 400 &&
      report !== null &&
      !report.complete &&
      report.errorType === null
    );
  }

  #breakOff(ending: Ending, message: string): void {
    const between = this.#meter?.atEventBoundary ?? true;
    const words = this.#stream ? streamError(message, this.#admitted.intent.id, between) : null;
    this.#reply.breakOff(words);
    this.#record(ending, this.#status);
    this.#done();
  }

  #markProgress(nowMs: number): void {
    if (nowMs - this.#markedMs < 1000 || this.#meter === null) {
      return;
    }
    this.#markedMs = nowMs;
    const report = this.#meter.report();
    if (report.started && report.usage.outputTokens !== this.#markedOutput) {
      this.#markedOutput = report.usage.outputTokens;
      const { usage, responseModel } = report;
      const { id, model, startedAt } = this.#admitted.intent;
      const { ledger, prices } = this.#deps;
      const { costMicroUsd } = prices.price({
        model: responseModel ?? model ?? "",
        usage,
        at: startedAt,
      });
      ledger.progress({ id, usage, costMicroUsd });
    }
  }

  #record(
    ending: Ending,
    status: number,
    report: UsageReport | null = this.#meter?.report() ?? null,
    sent = this.#exchange !== null,
  ): void {
    this.#over = true;
    const { active, clock, ledger, log, prices } = this.#deps;
    active.delete(this);
    const outcome = outcomeOf(
      {
        intent: this.#admitted.intent,
        ending,
        status,
        upstreamStatus: this.#status,
        sent,
        report,
        durationMs: clock.monotonicMs() - this.#startedMs,
        firstByteMs: this.#firstByteMs,
        upstreamRequestId: this.#upstreamRequestId,
      },
      prices,
    );
    ledger.close(outcome);
    logOutcome(log, outcome);
  }
}

const firstOf = (header: string | string[] | undefined): string | null =>
  (Array.isArray(header) ? header[0] : header) ?? null;

/** Runs the last three stages. Resolves when the exchange is over. @throws Refusal when no answer came */
export const forward = (
  deps: ForwardingDeps,
  admitted: Admitted,
  reply: CallerReply,
): Promise<void> =>
  new Promise((resolve, reject) => {
    new Forwarding(deps, admitted, reply, resolve, reject).send();
  });
