/** What the routes of the verification page have in common. */
import type { RequestId, UserId } from "@claude-relay/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { DeviceFlow, ProviderErrand, ProviderSignIn } from "../../pipeline/gateway-ports.ts";
import type { Refusal } from "../../pipeline/refusal.ts";
import type { RefusalAudit } from "../../pipeline/refusal-audit.ts";
import type { PersonSignIn } from "../../pipeline/sign-in-ports.ts";
import type { Clock } from "../../pipeline/types.ts";
import { clientIp } from "../client-ip.ts";
import { asRefusal, errorReply } from "../error-reply.ts";
import type { HostCookie } from "./cookies.ts";
import type { BrowserKey, FormGuard } from "./csrf.ts";
import { faultPage, pageHeaders, type Ways } from "./device-page.ts";
import type { Form } from "./form-body.ts";
import type { Html } from "./html.ts";

export type DeviceDoorDeps = Readonly<{
  deviceFlow: DeviceFlow;
  /** Null: no passwords are taken. */
  persons: PersonSignIn | null;
  /** Null: there is no provider. */
  provider: ProviderSignIn | null;
  guard: FormGuard;
  /** What a browser brings back from the provider. */
  travelCookie: HostCookie;
  isUser: (id: UserId) => boolean;
  /** The address people use: the relay may be one of several at a host, each under a path of its own. */
  baseUrl: () => string;
  refusals: Pick<RefusalAudit, "record">;
  clock: Clock;
  trustProxy: number;
  onFailure: (requestId: string, error: unknown) => void;
}>;

/** A form that was sent, past the guard. */
export type Step = Readonly<{
  deps: DeviceDoorDeps;
  request: FastifyRequest;
  reply: FastifyReply;
  form: Form;
  csrf: string;
  browser: BrowserKey;
  ip: string;
}>;

/** Where the page is, for a browser that is at the relay. */
export const pagePath = ({ baseUrl }: Pick<DeviceDoorDeps, "baseUrl">): string =>
  `${new URL(baseUrl()).pathname.replace(/\/+$/, "")}/device`;

/** What the link to the provider is signed for. */
export const linkText = (userCode: string): string => `provider ${userCode}`;

/** How the person may sign in; the link works in this browser alone. */
export const waysFor = (
  deps: DeviceDoorDeps,
  { userCode, browser }: ProviderErrand,
  name: string,
): Ways => {
  const { persons, provider, guard } = deps;
  const link = new URLSearchParams({
    user_code: userCode,
    link: guard.linkToken(browser, linkText(userCode)),
  });
  return {
    password: persons === null ? null : { name },
    provider: provider && { label: provider.label, href: `${pagePath(deps)}/provider?${link}` },
  };
};

export const recordGuess = (
  { refusals, isUser }: Pick<DeviceDoorDeps, "refusals" | "isUser">,
  refusal: Refusal,
  name: string,
  ip: string,
): void =>
  refusals.record({
    actor: "unknown",
    action: "sign_in.refuse",
    subject: null,
    refusal,
    // People type passwords where names belong: only a name that somebody has is written down.
    ...(isUser(name as UserId) && { detail: { name } }),
    clientIp: ip,
  });

export const answerInHtml = (app: FastifyInstance, deps: DeviceDoorDeps): void => {
  app.setErrorHandler((error, request, reply) => {
    const refusal = asRefusal(error);
    if (refusal.code === "internal") {
      deps.onFailure(request.id, error);
    }
    return sendFault(request, reply, refusal, (fault) => faultPage(fault, pagePath(deps)));
  });
};

/** A refusal as a page, with the status and the headers that tell machines of it. */
export const sendFault = (
  request: FastifyRequest,
  reply: FastifyReply,
  refusal: Refusal,
  pageWith: (fault: string) => Html,
): FastifyReply => {
  const { status, headers } = errorReply(refusal, request.id as RequestId);
  for (const header of ["retry-after", "request-id"]) {
    const value = headers[header];
    if (value !== undefined) {
      reply.header(header, value);
    }
  }
  return sendPage(reply, status, pageWith(refusal.message));
};

export const sendPage = (reply: FastifyReply, status: number, page: Html): FastifyReply =>
  reply.code(status).headers(pageHeaders).send(page);

export const ipOf = (
  request: FastifyRequest,
  { trustProxy }: Pick<DeviceDoorDeps, "trustProxy">,
): string => clientIp(request.raw, trustProxy);
