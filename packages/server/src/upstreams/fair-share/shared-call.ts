import type { IncomingHttpHeaders } from "node:http";
import type { Amounts as Used } from "../../pipeline/admission.ts";
import type { Later } from "../../pipeline/later.ts";
import type {
  Upstream,
  UpstreamExchange,
  UpstreamFailure,
  UpstreamReceiver,
  UpstreamRequest,
} from "../../pipeline/types.ts";
import type { Amounts } from "./told-limits.ts";

/** An answer without streaming may be minutes away, and others must not wait for it. */
const patienceMs = 1_000;

/** What a call tells of itself. */
export interface CallWatch {
  /** The caller left before its turn. */
  left(call: SharedCall): void;
  /** Let through before, it has an answer, or will never have one (null). `isLate`: after `late`. */
  answered(call: SharedCall, status: number | null, isLate: boolean): void;
  /** Its answer is not waited for any more: upstream has surely counted it. */
  late(call: SharedCall): void;
  /** What it used, once that is counted. */
  used(call: SharedCall, used: Used): void;
}

/** A call under fair sharing: it waits for its turn, then it is upstream's, byte for byte. */
export class SharedCall implements UpstreamReceiver, UpstreamExchange {
  readonly callerKey: string;
  /** What it was let through for; null before. */
  taken: Readonly<{ amounts: Amounts; cost: number }> | null = null;
  /** Calls off what is to happen to it later. */
  callOff: (() => void) | null = null;
  readonly #upstream: Upstream;
  readonly #request: UpstreamRequest;
  readonly #receiver: UpstreamReceiver;
  readonly #watch: CallWatch;
  #exchange: UpstreamExchange | null = null;
  #isAnswered = false;
  #isLate = false;
  #isOver = false;

  constructor(
    upstream: Upstream,
    request: UpstreamRequest,
    callerKey: string,
    receiver: UpstreamReceiver,
    watch: CallWatch,
  ) {
    this.#upstream = upstream;
    this.#request = request;
    this.callerKey = callerKey;
    this.#receiver = receiver;
    this.#watch = watch;
  }

  get sent(): boolean {
    return this.#exchange?.sent ?? false;
  }

  /** Its turn has come. */
  go(later: Later): void {
    this.callOff?.();
    this.callOff = later(patienceMs, () => this.#giveUpWaiting());
    this.#exchange = this.#upstream.send(this.#request, this);
  }

  /** It gets no turn. Told later, so that the sender holds the exchange before it hears of its end. */
  refuse(failure: UpstreamFailure): void {
    this.callOff?.();
    queueMicrotask(() => {
      if (!this.#isOver) {
        this.#isOver = true;
        this.#receiver.onFailure(failure);
      }
    });
  }

  onStart(status: number, headers: IncomingHttpHeaders): void {
    this.#answered(status);
    this.#receiver.onStart(status, headers);
  }

  onData(chunk: Buffer): void {
    this.#receiver.onData(chunk);
  }

  onEnd(): void {
    this.#receiver.onEnd();
  }

  onFailure(failure: UpstreamFailure): void {
    this.#answered(null);
    this.#receiver.onFailure(failure);
  }

  pause(): void {
    this.#exchange?.pause();
  }

  resume(): void {
    this.#exchange?.resume();
  }

  cancel(): void {
    this.#isOver = true;
    this.callOff?.();
    if (this.taken === null) {
      this.#watch.left(this);
      return;
    }
    this.#exchange?.cancel();
    this.#giveUpWaiting();
  }

  used(used: Used): void {
    if (this.taken !== null) {
      this.#watch.used(this, used);
    }
  }

  #answered(status: number | null): void {
    if (!this.#isAnswered) {
      this.#isAnswered = true;
      this.callOff?.();
      this.#watch.answered(this, status, this.#isLate);
    }
  }

  #giveUpWaiting(): void {
    if (!this.#isAnswered && !this.#isLate) {
      this.#isLate = true;
      this.#watch.late(this);
    }
  }
}
