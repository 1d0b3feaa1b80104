import { lookup } from "node:dns/promises";

/**
 * getaddrinfo blocks one of libuv's four threads, for many seconds when a name server is silent; upstream
 * connections need those threads too, so page lookups never hold more than this many.
 */
const maxAtOnce = 2;

/** All addresses of a name in the resolver's order, hosts file included. */
const lookupAll = async (hostname: string): Promise<readonly string[]> => {
  const found = await lookup(hostname, { all: true, order: "verbatim" });
  return found.map(({ address }) => address);
};

/** A resolver that never has more than two lookups under way; others wait their turn. */
export const createLookup = (resolve = lookupAll): typeof lookupAll => {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (hostname) => {
    if (running >= maxAtOnce) {
      await new Promise<void>((go) => waiting.push(go));
    } else {
      running += 1;
    }
    try {
      return await resolve(hostname);
    } finally {
      // A waiting one takes the place over, so the count stays.
      const next = waiting.shift();
      if (next === undefined) {
        running -= 1;
      } else {
        next();
      }
    }
  };
};
