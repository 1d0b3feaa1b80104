import type { SessionTimers } from "@claude-relay/client/device";
import type { ReplyEnding } from "../../bridge/conversation.ts";
import { ReplyFailed, type ReplyPart } from "./ask-relay.ts";
import { TextPacer } from "./text-pacer.ts";

type Options = Readonly<{
  /** Asks, once the reply has started. */
  ask: (signal: AbortSignal) => AsyncIterable<ReplyPart>;
  onStarted: () => void;
  onText: (text: string) => void;
  onEnded: (ending: ReplyEnding) => void;
  timers: SessionTimers;
  monotonicMs: () => number;
}>;

/** One answer on its way. Its events come in turns of their own: started, texts, ended. */
export class Reply {
  readonly #options: Options;
  readonly #stopping = new AbortController();
  readonly ended: Promise<void>;

  constructor(options: Options) {
    this.#options = options;
    this.ended = this.#run();
  }

  /** Frees the relay at once. Resolves when the answer has ended; it may just have ended by itself. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error("stopped"));
    await this.ended;
  }

  async #run(): Promise<void> {
    const { timers, monotonicMs, onStarted, onText, onEnded } = this.#options;
    const pacer = new TextPacer(timers, monotonicMs, onText);
    await this.#turn();
    onStarted();
    const ending = await this.#read(pacer);
    await this.#turn();
    pacer.flush();
    onEnded(ending);
  }

  async #read(pacer: TextPacer): Promise<ReplyEnding> {
    const { signal } = this.#stopping;
    try {
      signal.throwIfAborted();
      for await (const part of this.#options.ask(signal)) {
        if (part.kind === "end") {
          const { stopReason, usage } = part;
          return { kind: "complete", stopReason, usage };
        }
        pacer.push(part.text);
      }
    } catch (error) {
      if (signal.aborted) {
        return { kind: "stopped" };
      }
      if (error instanceof ReplyFailed) {
        return { kind: "failed", fault: error.fault };
      }
    }
    const message = "The answer failed for an unknown reason.";
    return { kind: "failed", fault: { kind: "other", message, retryAt: null } };
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#options.timers.after(0, resolve, true));
  }
}
