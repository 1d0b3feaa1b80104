import { connect } from "node:net";
import type { PageFetch } from "../pipeline/page-ports.ts";
import { busy } from "./faults.ts";
import { FetchPlaces } from "./fetch-places.ts";
import { createLookup } from "./guard/lookup.ts";
import { isOwnAddress } from "./guard/own-addresses.ts";
import { isPublicAddress } from "./guard/public-address.ts";
import { guardedFetch } from "./guarded-fetch.ts";
import { defaultLimits, type FetchLimits, type SetLimits } from "./limits.ts";
import { Renderer } from "./render/renderer.ts";

type PageFetchOptions = Readonly<{
  /** Sent as `user-agent`. */
  userAgent: string;
  limits: SetLimits & Partial<FetchLimits>;
}>;

/** Threads that parse pages; two, so that one hostile page does not hold up all others. */
const renderThreads = 2;
const threadIdleMs = 60_000;
const threadMemoryMb = 384;

/**
 * The server's page fetch: the machine's own resolver, sockets and certificates behind the guard of docs/fetch.md.
 * Nothing here can be switched off: no environment variable, no proxy setting, no field of a request.
 */
export const createPageFetch = (
  options: PageFetchOptions,
): Readonly<{ fetchPage: PageFetch; close(): Promise<void> }> => {
  const limits: FetchLimits = { ...defaultLimits, ...options.limits };
  const renderer = new Renderer({
    threads: renderThreads,
    renderMs: limits.renderMs,
    memoryMb: threadMemoryMb,
    idleMs: threadIdleMs,
  });
  const lookup = createLookup();
  const ports = {
    isPublic: (address: string) => isPublicAddress(address) && !isOwnAddress(address),
    connect: (host: string, port: number) => connect({ host, port, autoSelectFamily: false }),
    certificates: null,
    render: renderer.render.bind(renderer),
    userAgent: options.userAgent,
    limits,
  };
  const places = new FetchPlaces(limits.concurrent);
  return {
    async fetchPage(request) {
      const { callerKey = "" } = request;
      if (!places.take(callerKey)) {
        throw busy();
      }
      try {
        return await guardedFetch(request, {
          ...ports,
          lookup: (hostname, signal) => lookup(hostname, signal, callerKey),
        });
      } finally {
        places.giveBack(callerKey);
      }
    },
    close: () => renderer.close(),
  };
};
