import { connect } from "node:net";
import { Refusal } from "../pipeline/refusal.ts";
import { dial } from "./guard/dial.ts";
import { exchange, type Outgoing } from "./guard/exchange.ts";
import { createLookup, type Lookup } from "./guard/lookup.ts";
import { isOwnAddress } from "./guard/own-addresses.ts";
import { isPublicAddress } from "./guard/public-address.ts";
import { publicAddresses } from "./guard/public-host.ts";
import { defaultLimits } from "./limits.ts";

type Options = Readonly<{
  userAgent: string;
  /** Also lets through what is not public: the operator's own network. */
  allowPrivate: boolean;
  /** Otherwise the system's; for tests. */
  lookup?: Lookup;
}>;

export type GuardedPost = (
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
) => Promise<number>;

/**
 * Sends a POST behind the guard of docs/fetch.md, to any port: the host is resolved, every address checked, the
 * connection made to a checked one. A redirect is an answer like any other, and the answer's body is not read.
 * Gives the status. Rejects when none came, or when the host is not public.
 */
export const createGuardedPost = (options: Options): GuardedPost => {
  const { userAgent, allowPrivate, lookup = createLookup() } = options;
  const ports = {
    // Of one name only one lookup at a time: a silent name server holds up its own receivers.
    lookup: (hostname: string, signal: AbortSignal) => lookup(hostname, signal, hostname),
    isPublic: (address: string) =>
      allowPrivate || (isPublicAddress(address) && !isOwnAddress(address)),
    connect: (host: string, port: number) => connect({ host, port, autoSelectFamily: false }),
    certificates: null,
  };
  return async (url, headers, body, signal) => {
    const addresses = await publicAddresses(url, ports, signal).catch((error: unknown) => {
      // The page fetch's words would speak of pages.
      throw error instanceof Refusal && error.code === "invalid_request"
        ? new Error("the host does not resolve to a public address")
        : error;
    });
    const socket = await dial(url, addresses, ports, defaultLimits.connectMs, signal);
    const request: Outgoing = {
      method: "POST",
      headers: { "user-agent": userAgent, ...headers },
      body,
    };
    return exchange(url, socket, defaultLimits, request, signal, async ({ status }) => status);
  };
};
