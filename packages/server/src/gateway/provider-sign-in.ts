import { createHmac, randomBytes } from "node:crypto";
import type { ProviderErrand, ProviderReturn, ProviderSignIn } from "../pipeline/gateway-ports.ts";
import type { Log } from "../pipeline/log.ts";
import type { RateLimiter } from "../pipeline/rate-limiter.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { RefusalAudit } from "../pipeline/refusal-audit.ts";
import type { LinkedPerson, LinkedPersons, ProviderAccount } from "../pipeline/sign-in-ports.ts";
import type { Clock } from "../pipeline/types.ts";
import type { Checks, ProviderClient } from "./provider-client.ts";
import { type ProviderFault, providerFault } from "./provider-fault.ts";
import { createSignedNotes } from "./signed-note.ts";
import { createUsedOnce } from "./used-once.ts";

type Options = Readonly<{
  client: ProviderClient;
  persons: LinkedPersons;
  /** The provider's host. */
  label: string;
  key: Buffer;
  redirectUri: () => string;
  /** Answers that were not good, by address. */
  failures: RateLimiter;
  refusals: Pick<RefusalAudit, "record">;
  log: Log;
  clock: Clock;
  /** Answers looked into at once. */
  mostAtOnce?: number;
}>;

type Travel = ProviderErrand & Readonly<{ state: string }>;
type Ticket = LinkedPerson & ProviderErrand;

/** As long as a code waits at most. */
const travelMs = 600_000;
/** A page that somebody left open approves nothing. */
const decisionMs = 300_000;

/**
 * What is to be remembered travels with the browser, signed; nonce and PKCE's verifier are made of the state under
 * our key, so that they are in no cookie and no address. Tokens of the provider are forgotten once they were read.
 */
export const createProviderSignIn = (options: Options): ProviderSignIn => {
  const { client, persons, label, key, redirectUri, clock } = options;
  const travels = createSignedNotes<Travel>(key, "travel", clock);
  const tickets = createSignedNotes<Ticket>(key, "ticket", clock);
  const states = createUsedOnce(clock, travelMs);
  const looking = { atOnce: 0 };

  return {
    label,
    depart: async (errand) => {
      const state = randomBytes(32).toString("base64url");
      const location = await client
        .addressFor(checksOf(key, state), redirectUri())
        .catch((error: unknown) => Promise.reject(refusalFor(options, providerFault(error))));
      const kept = travels.write({ ...errand, state }, travelMs);
      return { location, kept, keptSeconds: travelMs / 1000 };
    },
    recognize: (kept, query) => {
      const travel = kept
        .map((text) => travels.read(text))
        .find((one) => one !== null && one.state === query.get("state"));
      if (travel === undefined || travel === null || !states.take(travel.state)) {
        throw new Refusal(
          "forbidden",
          `This sign-in at ${label} was not begun in this browser, took too long, or was used already. Start again.`,
        );
      }
      return { ...travel, query };
    },
    prove: async (back, clientIp) =>
      persons.personOf(await accountOf(options, looking, back, clientIp), clientIp),
    ticket: (person, errand) => tickets.write({ ...person, ...errand }, decisionMs),
    readTicket: async (text, { userCode, browser }) => {
      const ticket = tickets.read(text);
      const isOurs = ticket?.userCode === userCode && ticket.browser === browser;
      if (ticket === null || !isOurs || !(await persons.isStill(ticket))) {
        throw new Refusal("forbidden", `Your sign-in at ${label} is over. Sign in again.`);
      }
      return { userId: ticket.userId, linkId: ticket.linkId };
    },
  };
};

const checksOf = (key: Buffer, state: string): Checks => {
  const made = (what: string): string =>
    createHmac("sha256", key).update(`${what}.${state}`).digest("base64url");
  return { state, nonce: made("nonce"), verifier: made("verifier") };
};

const accountOf = async (
  options: Options,
  looking: { atOnce: number },
  { state, query }: ProviderReturn,
  clientIp: string,
): Promise<ProviderAccount> => {
  const { client, key, redirectUri, failures, refusals, mostAtOnce = 32 } = options;
  const { allowed, retryAfterMs } = failures.peek(clientIp);
  if (!allowed || looking.atOnce >= mostAtOnce) {
    throw new Refusal("rate_limited", "Too many sign-ins at once. Please wait.", {
      retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)),
    });
  }
  looking.atOnce += 1;
  try {
    return await client.accountOf(query, checksOf(key, state), redirectUri());
  } catch (error) {
    const fault = providerFault(error);
    const refusal = refusalFor(options, fault);
    if (refusal.code === "forbidden") {
      failures.take(clientIp);
    }
    const detail = { by: "provider", what: fault.kind };
    const act = { actor: "unknown", action: "sign_in.refuse", subject: null };
    refusals.record({ ...act, refusal, detail, clientIp });
    throw refusal;
  } finally {
    looking.atOnce -= 1;
  }
};

const refusalFor = ({ label, log }: Options, { kind, reason }: ProviderFault): Refusal => {
  log.warn({ provider: label, kind, reason }, "A sign-in at the OpenID provider failed");
  switch (kind) {
    case "away":
      return new Refusal("upstream_unreachable", `${label} cannot be reached. ${later}`, wait);
    case "slow":
      return new Refusal("upstream_timeout", `${label} does not answer. ${later}`, wait);
    case "declined":
      return new Refusal("forbidden", `${label} did not sign you in.`);
    case "bad_answer":
      return new Refusal("forbidden", `What ${label} answered cannot be trusted. Start again.`);
    case "not_ours":
      return new Refusal(
        "upstream_unreachable",
        `${label} and this relay do not fit together. Its operator finds the reason in the log.`,
        wait,
      );
  }
};

const later = "Try again in a moment.";
const wait = { retryAfterSeconds: 5 };
