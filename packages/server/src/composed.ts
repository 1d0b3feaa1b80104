import type { FastifyInstance } from "fastify";
import type { CompleteChoice } from "./compose-complete.ts";
import type { Routers } from "./compose-routers.ts";
import type { ActiveExchanges } from "./pipeline/active-exchanges.ts";
import type { Store } from "./store/store.ts";

/** A relay as it was wired: not listening yet. */
export type Relay = Readonly<{
  app: FastifyInstance;
  /** The routers' own listener; null when it is not enabled. */
  routers: Routers | null;
  active: ActiveExchanges;
  store: Store;
  /** Rows made at start for requests an earlier process left open. */
  recovered: number;
  /** Where the upstream is: Anthropic's address, or the embedded simulator's. */
  upstreamUrl: string;
  /** What serves `/v1/complete`, and why. */
  completeChoice: CompleteChoice;
  /** From here on new work is refused and `/readyz` says so. */
  startDraining(): void;
  /** Tells doors the address callers use, once the port is known. */
  setBaseUrl(url: string): void;
  /** At once, whatever is on its way. */
  closeConnections(): void;
  close(): Promise<void>;
}>;
