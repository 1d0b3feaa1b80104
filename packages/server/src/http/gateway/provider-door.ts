/** The way over an OpenID provider: there by a link of the approval page, and back with an answer. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { AskedApproval, ProviderSignIn } from "../../pipeline/gateway-ports.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import {
  type DeviceDoorDeps,
  ipOf,
  linkText,
  pagePath,
  recordGuess,
  sendFault,
  sendPage,
  waysFor,
} from "./device-answers.ts";
import { approvalPage, faultPage, knownPersonPage, pageHeaders } from "./device-page.ts";

const hidden = { schema: { hide: true } } as const;

/**
 * A link and not a form: browsers hold `form-action` against every redirect that follows a form, and a provider may
 * send people on to wherever. The link leads only the browser that was shown the page, so nobody else can start it.
 */
export const offerProvider = (
  app: FastifyInstance,
  deps: DeviceDoorDeps,
  provider: ProviderSignIn,
): void => {
  app.get("/device/provider", hidden, (request, reply) => depart(deps, provider, request, reply));
  app.get("/device/callback", hidden, (request, reply) => arrive(deps, provider, request, reply));
};

const depart = async (
  deps: DeviceDoorDeps,
  provider: ProviderSignIn,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const query = queryOf(request);
  const code = query.get("user_code") ?? "";
  const browser = deps.guard.follows(request.headers, linkText(code), query.get("link") ?? "");
  if (browser === null) {
    throw new Refusal("forbidden", "This link has expired, or was not yours. Start again.");
  }
  const asked = await lookAt(deps, request, code);
  const errand = { userCode: asked.userCode, browser };
  try {
    const { location, kept, keptSeconds } = await provider.depart(errand);
    return reply
      .code(303)
      .headers({ ...pageHeaders, location })
      .header("set-cookie", deps.travelCookie.set(kept, keptSeconds))
      .send("");
  } catch (error) {
    if (!(error instanceof Refusal)) {
      throw error;
    }
    const { token: csrf, cookie } = deps.guard.open(request.headers, browser);
    reply.header("set-cookie", cookie);
    const ways = waysFor(deps, errand, "");
    return sendFault(request, reply, error, (fault) =>
      approvalPage({ page: pagePath(deps), csrf, fault }, asked, deps.clock.now(), ways),
    );
  }
};

/** What the provider answered, whoever brings it: it counts in the browser that was sent there. */
const arrive = async (
  deps: DeviceDoorDeps,
  provider: ProviderSignIn,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const ip = ipOf(request, deps);
  const back = recognized(deps, provider, request);
  reply.header("set-cookie", deps.travelCookie.clear());
  const { userCode, browser } = back;
  try {
    const asked = await lookAt(deps, request, userCode);
    const person = await provider.prove(back, ip);
    const { token: csrf, cookie } = deps.guard.open(request.headers, browser);
    reply.header("set-cookie", cookie);
    const ticket = provider.ticket(person, { userCode, browser });
    const known = { userId: person.userId, label: provider.label, ticket };
    const now = deps.clock.now();
    const form = { page: pagePath(deps), csrf, fault: null };
    return sendPage(reply, 200, knownPersonPage(form, asked, now, known));
  } catch (error) {
    if (!(error instanceof Refusal)) {
      throw error;
    }
    return sendFault(request, reply, error, (fault) => faultPage(fault, pagePath(deps), userCode));
  }
};

const recognized = (
  deps: DeviceDoorDeps,
  provider: ProviderSignIn,
  request: FastifyRequest,
): ReturnType<ProviderSignIn["recognize"]> => {
  try {
    return provider.recognize(deps.travelCookie.read(request.headers), queryOf(request));
  } catch (error) {
    if (error instanceof Refusal) {
      recordGuess(deps, error, "", ipOf(request, deps));
    }
    throw error;
  }
};

/** @throws Refusal as `DeviceFlow.look`; it is audited */
const lookAt = async (
  deps: DeviceDoorDeps,
  request: FastifyRequest,
  code: string,
): Promise<AskedApproval> => {
  const ip = ipOf(request, deps);
  try {
    return await deps.deviceFlow.look(code, ip);
  } catch (error) {
    if (error instanceof Refusal) {
      recordGuess(deps, error, "", ip);
    }
    throw error;
  }
};

/** As it was sent, so that what stands there twice is seen twice. */
const queryOf = ({ url }: FastifyRequest): URLSearchParams => {
  const start = url.indexOf("?");
  return new URLSearchParams(start === -1 ? "" : url.slice(start + 1));
};
