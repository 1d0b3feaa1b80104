import type { Log } from "../../pipeline/log.ts";
import type { UpstreamExchange, UpstreamReceiver } from "../../pipeline/types.ts";
import { Answer, type Verdict } from "./answer.ts";
import { preparingLines, promptLine, settingsRequest, systemRequest } from "./call-lines.ts";
import { answerError, type CliError, cliError } from "./cli-error.ts";
import { type CliLine, readCliLine } from "./cli-line.ts";
import type { CliProcess, Exit, ProcessListener } from "./cli-process.ts";
import type { CliCredential } from "./credential.ts";
import { everyLock } from "./locks.ts";
import type { CliPrompt } from "./prompt.ts";
import type { Ticket } from "./slots.ts";

export type CallDeps = Readonly<{
  version: string;
  credential: CliCredential;
  now: () => number;
  log: Log;
  /** Why no call is served any more; null while they are. */
  closedBecause: () => string | null;
  /** A waiting process, or null. */
  takeWarm: () => CliProcess | null;
  /** @throws when no process can be started */
  startCold: () => CliProcess;
  /** The locks did not hold: no call is served after this one. */
  onBreach: (why: string) => void;
}>;

/** One call: its wait for a turn, its process, its answer, its end. */
export class Call implements UpstreamExchange, ProcessListener {
  readonly #deps: CallDeps;
  readonly #prompt: CliPrompt;
  readonly #receiver: UpstreamReceiver;
  readonly #answer: Answer;
  readonly #unanswered = new Set([systemRequest, settingsRequest]);
  #ticket: Ticket | null = null;
  #process: CliProcess | null = null;
  #warm = false;
  #paused = false;
  #sent = false;
  #started = false;
  #over = false;

  constructor(deps: CallDeps, prompt: CliPrompt, receiver: UpstreamReceiver) {
    this.#deps = deps;
    this.#prompt = prompt;
    this.#receiver = receiver;
    this.#answer = new Answer({
      expected: { version: deps.version, model: prompt.model, credential: deps.credential },
      now: deps.now,
      onEvent: (bytes) => this.#say(bytes),
    });
  }

  get sent(): boolean {
    return this.#sent;
  }

  /** Its place in line. Held until nothing of its process is left. */
  hold(ticket: Ticket): void {
    this.#ticket = ticket;
  }

  /** It is this call's turn. */
  run(): void {
    const closed = this.#deps.closedBecause();
    if (closed !== null) {
      this.refuse(cliError(503, "api_error", closed));
    }
    if (!this.#over) {
      this.#start(this.#deps.takeWarm());
    }
  }

  pause(): void {
    this.#paused = true;
    this.#process?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#process?.resume();
  }

  cancel(): void {
    this.#end("nobody waits for its answer any more");
  }

  onLine(line: string): void {
    if (this.#over) {
      return;
    }
    const verdict = this.#read(line);
    if (verdict !== null) {
      this.#settle(verdict);
    }
  }

  onExit(exit: Exit): void {
    if (this.#over) {
      return;
    }
    this.#deps.log.warn(
      // Before the prompt is sent stderr cannot hold a part of it.
      { ...exit, sent: this.#sent, ...(this.#sent ? {} : { stderr: this.#process?.stderrTail }) },
      "Claude Code ended before its answer",
    );
    if (this.#warm && !this.#sent) {
      // A waiting process that died: nothing was asked of it yet.
      this.#start(null);
      return;
    }
    const how = exit.reason ?? (exit.signal === null ? `exit ${exit.code}` : exit.signal);
    this.#settle({ kind: "broken", message: `Claude Code ended early: ${how}` });
  }

  /** Called out of a socket: what is thrown here would end the relay. */
  #read(line: string): Verdict | null {
    try {
      const read = readCliLine(line);
      return this.#sent ? this.#answer.take(read) : this.#prepare(read);
    } catch (error) {
      this.#deps.log.error({ error: String(error) }, "A line of Claude Code's could not be taken");
      return { kind: "broken", message: "Claude Code's answer could not be taken" };
    }
  }

  /** The caller's answer ends here and now, with the relay's own words. */
  refuse(error: CliError): void {
    this.#settle({ kind: "error", error });
  }

  #start(warm: CliProcess | null): void {
    this.#warm = warm !== null;
    this.#unanswered.add(systemRequest).add(settingsRequest);
    try {
      this.#process = warm ?? this.#deps.startCold();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#deps.log.error({ why }, "Claude Code cannot be started");
      this.#settle({ kind: "broken", message: "Claude Code cannot be started" });
      return;
    }
    if (this.#paused) {
      this.#process.pause();
    }
    this.#process.write(preparingLines(this.#prompt));
    this.#process.listen(this);
  }

  #prepare(line: CliLine): Verdict | null {
    switch (line.kind) {
      case "control_response":
        if (line.error !== null) {
          return { kind: "broken", message: `Claude Code refused the call's ${line.id}` };
        }
        if (line.version !== null && line.version !== this.#deps.version) {
          return { kind: "breach", message: `it is not version ${this.#deps.version}` };
        }
        this.#unanswered.delete(line.id);
        if (this.#unanswered.size === 0) {
          this.#sendPrompt();
        }
        return null;
      case "other":
        return null;
      case "garbage":
      case "control_request":
      case "rate_limit":
        return this.#answer.take(line);
      case "init":
      case "event":
      case "user":
      case "refusal":
      case "retry":
      case "result":
        return { kind: "breach", message: "it began before it was asked" };
    }
  }

  #sendPrompt(): void {
    this.#sent = true;
    this.#process?.write(promptLine(this.#prompt, everyLock));
    this.#process?.endInput();
  }

  #say(bytes: Buffer): void {
    if (!this.#started) {
      this.#started = true;
      this.#receiver.onStart(200, { "content-type": "text/event-stream; charset=utf-8" });
    }
    if (!this.#over) {
      this.#receiver.onData(bytes);
    }
  }

  #settle(verdict: Verdict): void {
    if (this.#over) {
      return;
    }
    const { log, onBreach } = this.#deps;
    switch (verdict.kind) {
      case "whole":
        this.#end(null);
        this.#tell(() => this.#receiver.onEnd());
        return;
      case "error":
        this.#logError(verdict.error);
        this.#end("it answered an error");
        this.#tell(() => answerError(this.#receiver, verdict.error, this.#started));
        return;
      case "broken":
        log.warn({ why: verdict.message }, "Claude Code gave no whole answer");
        this.#end(verdict.message);
        this.#fail(verdict.message);
        return;
      case "breach":
        onBreach(verdict.message);
        this.#end(verdict.message);
        this.#fail(`Claude Code did not keep to its locks: ${verdict.message}`);
    }
  }

  #fail(message: string): void {
    const sent = this.#sent;
    this.#tell(() => this.#receiver.onFailure({ kind: "unreachable", message, sent }));
  }

  #logError({ remedy, unsaid }: CliError): void {
    const { log } = this.#deps;
    if (unsaid !== null) {
      log.warn({ upstreamSaid: unsaid }, "The API refused Claude Code");
    }
    if (remedy !== null) {
      log.error({}, remedy);
    }
  }

  /** Called out of a socket or a timer: a receiver that fails must not end the relay. */
  #tell(end: () => void): void {
    try {
      end();
    } catch (error) {
      this.#deps.log.error({ error: String(error) }, "The end of an answer could not be told");
    }
  }

  /** @param killed why its process must go, or null when it has done its work */
  #end(killed: string | null): void {
    if (this.#over) {
      return;
    }
    this.#over = true;
    const process = this.#process;
    if (process === null) {
      this.#ticket?.leave();
      return;
    }
    if (killed === null) {
      process.release();
    } else {
      process.kill(killed);
    }
    void process.gone.then(() => this.#ticket?.leave());
  }
}
