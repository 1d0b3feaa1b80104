import { isIP, isIPv6 } from "node:net";
import { notPublic, unreachable } from "../faults.ts";
import { bareHost } from "./page-url.ts";

export type HostPorts = Readonly<{
  /** All A and AAAA addresses of a name, as the system resolves it. */
  lookup(hostname: string, signal: AbortSignal): Promise<readonly string[]>;
  isPublic(address: string): boolean;
}>;

/** How many addresses of a host are tried. */
const maxTries = 3;

/** A name that has no addresses, as getaddrinfo says it. */
const noSuchName = new Set(["ENOTFOUND", "ENODATA", "EAI_NODATA", "EAI_NONAME"]);

/**
 * The addresses to try for a page's host, all checked: one that is not public among them bars the host.
 * @throws Refusal
 */
export const publicAddresses = async (
  url: URL,
  ports: HostPorts,
  signal: AbortSignal,
): Promise<readonly string[]> => {
  const host = bareHost(url);
  const addresses = isIP(host) === 0 ? await resolve(host, ports, signal) : [host];
  if (addresses.length === 0 || !addresses.every((address) => ports.isPublic(address))) {
    throw notPublic();
  }
  return worthTrying(addresses);
};

const resolve = async (
  host: string,
  ports: HostPorts,
  signal: AbortSignal,
): Promise<readonly string[]> => {
  try {
    return await orAborted(ports.lookup(host, signal), signal);
  } catch (error) {
    signal.throwIfAborted();
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    throw noSuchName.has(code)
      ? notPublic()
      : unreachable("the host's name could not be resolved just now. Try again later.");
  }
};

/** A lookup that runs cannot be cancelled; it can be left. */
const orAborted = <Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> => {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) {
    onAbort();
  }
  return Promise.race([promise, aborted.promise]).finally(() =>
    signal.removeEventListener("abort", onAbort),
  );
};

/** The first, then one of the other family (a machine without IPv6 gets AAAA records too), then the rest. */
const worthTrying = (addresses: readonly string[]): readonly string[] => {
  const [first = "", ...rest] = addresses;
  const other = rest.find((address) => isIPv6(address) !== isIPv6(first));
  const order = other === undefined ? addresses : [first, other, ...rest];
  return [...new Set(order)].slice(0, maxTries);
};
