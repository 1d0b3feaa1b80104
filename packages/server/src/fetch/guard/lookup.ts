import { lookup } from "node:dns/promises";

/**
 * getaddrinfo blocks one of libuv's four threads, for many seconds when a name server is silent; upstream
 * connections need those threads too, so page lookups never hold more than this many.
 */
const maxAtOnce = 2;

let running = 0;
const waiting: (() => void)[] = [];

/** All addresses of a name in the resolver's order, hosts file included. */
export const lookupAll = async (hostname: string): Promise<readonly string[]> => {
  if (running >= maxAtOnce) {
    await new Promise<void>((go) => waiting.push(go));
  } else {
    running += 1;
  }
  try {
    const found = await lookup(hostname, { all: true, order: "verbatim" });
    return found.map(({ address }) => address);
  } finally {
    const next = waiting.shift();
    if (next === undefined) {
      running -= 1;
    } else {
      next();
    }
  }
};
