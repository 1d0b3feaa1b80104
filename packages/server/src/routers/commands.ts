/**
 * What routers ask for once they are let in. Claude writes; what may run is decided by the command policy, and
 * without a code from here nothing that writes is handed over for running.
 */
import type { RouterId } from "@claude-relay/contract";
import { callerKey } from "../pipeline/caller-key.ts";
import type { AuditLog } from "../pipeline/ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { RefusalAudit } from "../pipeline/refusal-audit.ts";
import { type RouterAnswer, type RouterCommands, RouterRefusal } from "../pipeline/router-ports.ts";
import { routerRefusalOf } from "../pipeline/router-refusal.ts";
import type { RouterCaller } from "../pipeline/types.ts";
import type { JudgedCommand, Judgement } from "./command/judge.ts";
import { Confirmations, codeSeconds } from "./confirmations.ts";
import { Jobs } from "./jobs.ts";
import { commandQuestion, failureQuestion } from "./prompt.ts";
import {
  type ExplainRequest,
  explainRequest,
  type ProcessRequest,
  processRequest,
} from "./request-fields.ts";
import { type Asking, askClaude, type QuestionDeps } from "./router-question.ts";
import { shownExplanation, shownSuggestion, usableScript } from "./usable-script.ts";

export type CommandsDeps = QuestionDeps &
  Readonly<{
    judge: (script: string) => Judgement;
    /** Takes secrets out of what routers send, before it goes to the model. */
    redact: (text: string, known: readonly string[]) => string;
    /** The secrets that a router may sign with: they go to the model least of all. */
    secretsFor: (router: RouterId) => readonly string[];
    /** Whether a text still has, in place of a secret, what `redact` put there. */
    isRedacted: (text: string) => boolean;
    /** Whether a command that only reads may run without a code. */
    runReads: boolean;
    audit: Pick<AuditLog, "append">;
    refusals: Pick<RefusalAudit, "record">;
    /** @param count bytes */
    random: (count: number) => Buffer;
  }>;

type Ask = Extract<ProcessRequest, { kind: "ask" }>;
type Confirm = Extract<ProcessRequest, { kind: "confirm" }>;

export const createRouterCommands = (deps: CommandsDeps): RouterCommands => {
  const { random } = deps;
  const codes = new Confirmations({ random, monotonicMs: () => deps.clock.monotonicMs() });
  const jobs = new Jobs({ random });
  return {
    process: async (caller, body, clientIp, left) => {
      const request = processRequest(body);
      if (request.kind === "confirm") {
        return confirm(deps, codes, { caller, clientIp }, request);
      }
      const work = (signal: AbortSignal): Promise<RouterAnswer> =>
        interpret(deps, codes, { caller, clientIp, signal }, request);
      return jobs.run(caller.id, work, left);
    },
    explain: async (caller, body, clientIp, left) => {
      const request = explainRequest(body);
      const work = (signal: AbortSignal): Promise<RouterAnswer> =>
        suggest(deps, { caller, clientIp, signal }, request);
      return jobs.run(caller.id, work, left);
    },
    job: (caller, job) => jobs.poll(caller.id, job),
    collected: (patienceMs) => jobs.collected(patienceMs),
    close: async () => jobs.close(),
  };
};

const interpret = async (
  deps: CommandsDeps,
  codes: Confirmations,
  asking: Asking,
  { command, context, user }: Ask,
): Promise<RouterAnswer> => {
  const redact = redactorFor(deps, asking.caller);
  const wish = { command: redact(command), context: context === null ? null : redact(context) };
  try {
    const { value, id } = await askClaude(deps, asking, commandQuestion(wish, newMark(deps)));
    const script = usableScript(value, deps.isRedacted);
    const judged = allowed(deps, asking, script, id);
    const classification = judged.kind === "read" ? "read" : "write";
    const may_run = classification === "read" && deps.runReads;
    const confirmable = { user, text: script, classification, requestId: id } as const;
    return {
      success: true,
      original_command: command,
      routeros_command: script,
      classification,
      explanation: shownExplanation(value["explanation"]),
      commands: judged.commands.map(listed),
      may_run,
      ...(!may_run && {
        confirm_code: codes.issue({ ...confirmable, router: asking.caller.id }),
        expires_in: codeSeconds,
      }),
    };
  } catch (error) {
    throw withFields(error, { original_command: command });
  }
};

/** The policy's word on a script. @throws RouterRefusal `forbidden_command` with the reason, audited without it */
const allowed = (
  deps: CommandsDeps,
  asking: Asking,
  script: string,
  requestId: string,
): Judgement => {
  const judged = deps.judge(script);
  if (judged.kind === "forbidden") {
    const detail = { request_id: requestId };
    auditRefusal(deps, asking, "router.command", "The command policy forbids it.", detail);
    throw new RouterRefusal("forbidden_command", shownExplanation(judged.reason), {
      generated_command: script,
    });
  }
  if (judged.commands.length > mostListed) {
    throw new RouterRefusal(
      "not_possible",
      `This takes more than ${mostListed} commands, more than can be shown and confirmed. Ask for less at once.`,
    );
  }
  return judged;
};

/** All of them, or the answer would not tell what kind each is. */
const mostListed = 20;

const listed = ({ text, kind, reason, warning }: JudgedCommand) => ({
  ...{ text, kind, reason },
  ...(warning !== undefined && { warning }),
});

const suggest = async (
  deps: CommandsDeps,
  asking: Asking,
  { command, message, output }: ExplainRequest,
): Promise<RouterAnswer> => {
  const redact = redactorFor(deps, asking.caller);
  const failed = {
    command: redact(command),
    message: redact(message),
    output: output === null ? null : redact(output),
  };
  const { value } = await askClaude(deps, asking, failureQuestion(failed, newMark(deps)));
  return {
    success: true,
    suggestion: shownSuggestion(value["suggestion"]),
    original_command: command,
    error_message: message,
  };
};

type Confirming = Readonly<{ caller: RouterCaller; clientIp: string }>;

/** The row is in the audit log before the commands are handed over. */
const confirm = async (
  deps: CommandsDeps,
  codes: Confirmations,
  { caller, clientIp }: Confirming,
  { code, user }: Confirm,
): Promise<RouterAnswer> => {
  const found = codes.redeem(caller.id, user, code);
  if (found === null) {
    const why =
      "No such code of this router and user, or it was used, or it is older than 5 minutes.";
    auditRefusal(deps, { caller, clientIp }, "router.confirm", why, userDetail(user));
    throw new RouterRefusal("confirm_invalid", `${why} Ask your question again.`);
  }
  const { text, classification, requestId } = found;
  await deps.audit
    .append({
      at: deps.clock.now(),
      actor: callerKey(caller),
      action: "router.confirm",
      subject: caller.id,
      outcome: "ok",
      detail: { request_id: requestId, classification, ...userDetail(user) },
      clientIp,
    })
    .catch((error: unknown) => {
      throw routerRefusalOf(error);
    });
  return { success: true, confirmed: true, routeros_command: text, classification };
};

const userDetail = (user: string | null): Record<string, string> => (user === null ? {} : { user });

/** Without anything of what was asked or answered. */
const auditRefusal = (
  { refusals }: CommandsDeps,
  { caller, clientIp }: Confirming,
  action: string,
  reason: string,
  detail: Readonly<Record<string, string>>,
): void =>
  refusals.record({
    actor: callerKey(caller),
    action,
    subject: caller.id,
    refusal: new Refusal("forbidden", reason),
    detail,
    clientIp,
  });

const withFields = (error: unknown, fields: Readonly<Record<string, unknown>>): unknown =>
  error instanceof RouterRefusal
    ? new RouterRefusal(error.code, error.message, { ...fields, ...error.fields })
    : error;

const newMark = ({ random }: CommandsDeps): string => random(8).toString("hex");

const redactorFor =
  ({ redact, secretsFor }: CommandsDeps, { id }: RouterCaller) =>
  (text: string): string =>
    redact(text, secretsFor(id));
