import { isIP, type Socket } from "node:net";
import { connect as secure } from "node:tls";
import { brokenExchange, notPublic, tooSlow } from "../faults.ts";
import { bareHost } from "./page-url.ts";
import { canonicalAddress } from "./public-address.ts";

export type DialPorts = Readonly<{
  isPublic(address: string): boolean;
  /** Opens a TCP connection to an address, never to a name. */
  connect(address: string, port: number): Socket;
  /** Certificates trusted in place of Node's own, in PEM; null for Node's. */
  certificates: string | null;
}>;

/**
 * A connection to a page's host at the first of its checked addresses that takes it; for https, with TLS to the
 * host's own name, verified. @throws Refusal
 */
export const dial = async (
  url: URL,
  addresses: readonly string[],
  ports: DialPorts,
  connectMs: number,
  signal: AbortSignal,
): Promise<Socket> => {
  const connectOne = async (address: string): Promise<Socket> => {
    const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
    const socket = ports.connect(address, port);
    await settled(socket, "connect", connectMs, signal);
    checkPeer(socket, address, ports);
    return socket;
  };
  const socket = await firstOf(addresses, connectOne, signal);
  return url.protocol === "https:" ? secured(socket, url, ports, connectMs, signal) : socket;
};

const firstOf = async (
  addresses: readonly string[],
  connectOne: (address: string) => Promise<Socket>,
  signal: AbortSignal,
): Promise<Socket> => {
  let last: unknown;
  for (const address of addresses) {
    try {
      return await connectOne(address);
    } catch (error) {
      signal.throwIfAborted();
      last = error;
    }
  }
  throw brokenExchange(last);
};

/** What the socket is really connected to must be the address that was checked. */
const checkPeer = (socket: Socket, address: string, ports: DialPorts): void => {
  const peer = socket.remoteAddress ?? "";
  if (canonicalAddress(peer) !== canonicalAddress(address) || !ports.isPublic(peer)) {
    socket.destroy();
    throw notPublic();
  }
};

const secured = async (
  socket: Socket,
  url: URL,
  ports: DialPorts,
  connectMs: number,
  signal: AbortSignal,
): Promise<Socket> => {
  const host = bareHost(url).replace(/\.$/, "");
  const tls = secure({
    socket,
    host,
    // SNI carries names only; an address is checked against the certificate through `host`.
    servername: isIP(host) === 0 ? host : "",
    ALPNProtocols: ["http/1.1"],
    // Said aloud, so that NODE_TLS_REJECT_UNAUTHORIZED=0 does not reach here.
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    ...(ports.certificates !== null && { ca: ports.certificates }),
  });
  try {
    await settled(tls, "secureConnect", connectMs, signal);
    return tls;
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw brokenExchange(error);
  }
};

/** Waits for the event, no longer than the cap; a socket that fails is destroyed. */
const settled = (
  socket: Socket,
  event: "connect" | "secureConnect",
  capMs: number,
  signal: AbortSignal,
): Promise<void> => {
  const done = Promise.withResolvers<void>();
  const fail = (error: Error): void => {
    socket.destroy();
    done.reject(error);
  };
  const onAbort = (): void => fail(new Error("aborted"));
  const onClose = (): void => fail(new Error("closed"));
  const timer = setTimeout(
    () => fail(tooSlow("no connection to the page's server in time. Try again later.")),
    capMs,
  );
  socket.once(event, () => done.resolve());
  // Stays on: an error after this promise settled has no other listener yet.
  socket.on("error", fail);
  socket.once("close", onClose);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) {
    onAbort();
  }
  return done.promise.finally(() => {
    clearTimeout(timer);
    socket.off("close", onClose);
    signal.removeEventListener("abort", onAbort);
  });
};
