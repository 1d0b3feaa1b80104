/** Where a person approves or denies a sign-in: the verification page of RFC 8628 §3.3. */
import type { FastifyInstance, FastifyReply } from "fastify";
import type { AskedApproval, ProvenPerson } from "../../pipeline/gateway-ports.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import {
  answerInHtml,
  type DeviceDoorDeps,
  ipOf,
  pagePath,
  recordGuess,
  type Step,
  sendFault,
  sendPage,
  waysFor,
} from "./device-answers.ts";
import { approvalPage, codePage, donePage } from "./device-page.ts";
import { readForm } from "./form-body.ts";
import type { Html } from "./html.ts";
import { offerProvider } from "./provider-door.ts";

export const deviceDoor = (app: FastifyInstance, deps: DeviceDoorDeps): void => {
  const hidden = { schema: { hide: true } } as const;
  answerInHtml(app, deps);

  app.get("/device", hidden, (request, reply) => {
    const { user_code: code } = request.query as Readonly<Record<string, unknown>>;
    const { token, cookie } = deps.guard.open(request.headers);
    const filled = typeof code === "string" ? code.slice(0, 32) : "";
    reply.header("set-cookie", cookie);
    return sendPage(
      reply,
      200,
      codePage({ page: pagePath(deps), csrf: token, fault: null }, filled),
    );
  });

  app.post("/device", hidden, async (request, reply) => {
    const form = await readForm(request.raw);
    const csrf = form.get("csrf") ?? "";
    const checked = deps.guard.check(request.headers, csrf);
    if (!checked.ok) {
      throw new Refusal("forbidden", checked.fault);
    }
    const { browser } = checked;
    return decide({ deps, request, reply, form, csrf, browser, ip: ipOf(request, deps) });
  });

  if (deps.provider !== null) {
    offerProvider(app, deps, deps.provider);
  }
};

const decide = async (step: Step): Promise<FastifyReply> => {
  const { deps, reply, form, csrf, browser, ip } = step;
  const typed = form.get("user_code") ?? "";
  const page = pagePath(deps);
  let asked: AskedApproval;
  try {
    asked = await deps.deviceFlow.look(typed, ip);
  } catch (error) {
    return refused(step, error, (fault) => codePage({ page, csrf, fault }, typed.slice(0, 32)));
  }
  const name = (form.get("name") ?? "").slice(0, 128);
  const ways = waysFor(deps, { userCode: asked.userCode, browser }, name);
  const shown = (fault: string | null): Html =>
    approvalPage({ page, csrf, fault }, asked, deps.clock.now(), ways);
  try {
    switch (form.get("action")) {
      case "approve":
        await deps.deviceFlow.approve(typed, await personOf(step, asked), ip);
        return sendPage(reply, 200, donePage("approved"));
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

/** By the ticket of the provider's way, or else by name and password. */
const personOf = async (step: Step, { userCode }: AskedApproval): Promise<ProvenPerson> => {
  const { deps, form, browser, ip } = step;
  const ticket = form.get("ticket");
  if (ticket !== undefined && deps.provider !== null) {
    return deps.provider.readTicket(ticket, { userCode, browser });
  }
  if (deps.persons === null) {
    throw new Refusal("forbidden", "This relay takes no passwords. Sign in at the provider.");
  }
  const [name, password] = [form.get("name") ?? "", form.get("password") ?? ""];
  return { userId: await deps.persons.prove({ name, password, clientIp: ip }), linkId: null };
};

/** What a person got wrong, said above the same form, and audited: names and codes may be guesses. */
const refused = (step: Step, error: unknown, pageWith: (fault: string) => Html): FastifyReply => {
  if (!(error instanceof Refusal) || !guessing.has(error.code)) {
    throw error;
  }
  recordGuess(step.deps, error, step.form.get("name") ?? "", step.ip);
  return sendFault(step.request, step.reply, error, pageWith);
};

const guessing: ReadonlySet<Refusal["code"]> = new Set(["forbidden", "not_found", "rate_limited"]);
