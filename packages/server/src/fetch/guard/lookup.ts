import { lookup } from "node:dns/promises";
import { LookupPlaces } from "./lookup-places.ts";

/**
 * getaddrinfo blocks a thread of libuv's, for many seconds when a name server is silent, and cannot be ended.
 * libuv gives it half its threads, two unless UV_THREADPOOL_SIZE says otherwise, and upstream's name needs them too.
 */
const maxAtOnce = 2;

/** Fetches at once are bounded already; this bounds what waits however that is set. */
const maxWaiting = 256;

/**
 * All addresses of a name, as the system resolves it. A lookup that waits is dropped when its signal aborts; one
 * that runs keeps its place until the system answers.
 */
export type Lookup = (
  hostname: string,
  signal: AbortSignal,
  callerKey: string,
) => Promise<readonly string[]>;

/** All addresses of a name in the resolver's order, hosts file included. */
const lookupAll = async (hostname: string): Promise<readonly string[]> => {
  const found = await lookup(hostname, { all: true, order: "verbatim" });
  return found.map(({ address }) => address);
};

/** A resolver with never more than two lookups under way, and one of each caller; others wait their turn. */
export const createLookup = (resolve = lookupAll): Lookup => {
  const places = new LookupPlaces(maxAtOnce, maxWaiting);
  return async (hostname, signal, callerKey) => {
    await places.enter(callerKey, signal);
    try {
      signal.throwIfAborted();
      return await resolve(hostname);
    } finally {
      places.leave(callerKey);
    }
  };
};
