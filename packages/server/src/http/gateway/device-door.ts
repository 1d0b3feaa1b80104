/** Where a person approves or denies a sign-in: the verification page of RFC 8628 §3.3. */
import type { RequestId, UserId } from "@claude-relay/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { AskedApproval, DeviceFlow } from "../../pipeline/gateway-ports.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { RefusalAudit } from "../../pipeline/refusal-audit.ts";
import type { PersonSignIn } from "../../pipeline/sign-in-ports.ts";
import type { Clock } from "../../pipeline/types.ts";
import { clientIp } from "../client-ip.ts";
import { asRefusal, errorReply } from "../error-reply.ts";
import type { FormGuard } from "./csrf.ts";
import { approvalPage, codePage, donePage, faultPage, pageHeaders } from "./device-page.ts";
import { type Form, readForm } from "./form-body.ts";
import type { Html } from "./html.ts";

export type DeviceDoorDeps = Readonly<{
  deviceFlow: DeviceFlow;
  persons: PersonSignIn;
  guard: FormGuard;
  isUser: (id: UserId) => boolean;
  refusals: Pick<RefusalAudit, "record">;
  clock: Clock;
  trustProxy: number;
  onFailure: (requestId: string, error: unknown) => void;
}>;

export const deviceDoor = (app: FastifyInstance, deps: DeviceDoorDeps): void => {
  const hidden = { schema: { hide: true } } as const;
  answerInHtml(app, deps);

  app.get("/device", hidden, (request, reply) => {
    const { user_code: code } = request.query as Readonly<Record<string, unknown>>;
    const { token, cookie } = deps.guard.open(request.headers);
    if (cookie !== null) {
      reply.header("set-cookie", cookie);
    }
    const filled = typeof code === "string" ? code.slice(0, 32) : "";
    return sendPage(reply, 200, codePage({ csrf: token, fault: null }, filled));
  });

  app.post("/device", hidden, async (request, reply) => {
    const form = await readForm(request.raw);
    const csrf = form.get("csrf") ?? "";
    const foreign = deps.guard.fault(request.headers, csrf);
    if (foreign !== null) {
      throw new Refusal("forbidden", foreign);
    }
    return decide({ deps, request, reply, form, csrf, ip: ipOf(request, deps) });
  });
};

type Step = Readonly<{
  deps: DeviceDoorDeps;
  request: FastifyRequest;
  reply: FastifyReply;
  form: Form;
  csrf: string;
  ip: string;
}>;

const decide = async (step: Step): Promise<FastifyReply> => {
  const { deps, reply, form, csrf, ip } = step;
  const typed = form.get("user_code") ?? "";
  let asked: AskedApproval;
  try {
    asked = await deps.deviceFlow.look(typed, ip);
  } catch (error) {
    return refused(step, error, (fault) => codePage({ csrf, fault }, typed.slice(0, 32)));
  }
  const name = form.get("name") ?? "";
  const shown = (fault: string | null): Html =>
    approvalPage({ csrf, fault }, asked, deps.clock.now(), name.slice(0, 128));
  try {
    switch (form.get("action")) {
      case "approve": {
        const attempt = { name, password: form.get("password") ?? "", clientIp: ip };
        const userId = await deps.persons.prove(attempt);
        await deps.deviceFlow.approve(typed, userId, ip);
        return sendPage(reply, 200, donePage("approved"));
      }
      case "deny":
        await deps.deviceFlow.deny(typed, ip);
        return sendPage(reply, 200, donePage("denied"));
      default:
        return sendPage(reply, 200, shown(null));
    }
  } catch (error) {
    return refused(step, error, shown);
  }
};

/** What a person got wrong, said above the same form, and audited: names and codes may be guesses. */
const refused = (
  { deps, request, reply, form, ip }: Step,
  error: unknown,
  pageWith: (fault: string) => Html,
): FastifyReply => {
  if (!(error instanceof Refusal) || !guessing.has(error.code)) {
    throw error;
  }
  const name = form.get("name") ?? "";
  deps.refusals.record({
    actor: "unknown",
    action: "sign_in.refuse",
    subject: null,
    refusal: error,
    // People type passwords where names belong: only a name that somebody has is written down.
    ...(deps.isUser(name as UserId) && { detail: { name } }),
    clientIp: ip,
  });
  const { status, headers } = errorReply(error, request.id as RequestId);
  for (const header of ["retry-after", "request-id"]) {
    const value = headers[header];
    if (value !== undefined) {
      reply.header(header, value);
    }
  }
  return sendPage(reply, status, pageWith(error.message));
};

const guessing: ReadonlySet<Refusal["code"]> = new Set(["forbidden", "not_found", "rate_limited"]);

const answerInHtml = (app: FastifyInstance, { onFailure }: DeviceDoorDeps): void => {
  app.setErrorHandler((error, request, reply) => {
    const refusal = asRefusal(error);
    if (refusal.code === "internal") {
      onFailure(request.id, error);
    }
    const { status } = errorReply(refusal, request.id as RequestId);
    return sendPage(reply.header("request-id", request.id), status, faultPage(refusal.message));
  });
};

const sendPage = (reply: FastifyReply, status: number, page: Html): FastifyReply =>
  reply.code(status).headers(pageHeaders).send(page);

const ipOf = (request: FastifyRequest, { trustProxy }: DeviceDoorDeps): string =>
  clientIp(request.raw, trustProxy);
