import type { Executed } from "./commands-menu.ts";
import type { FetchRecord } from "./fetch.ts";
import type { Plain } from "./plain.ts";
import type { Value } from "./values.ts";

export type RouterOptions = {
  /** RouterOS version; 7.15 unless told. */
  version?: string;
  identity?: string;
  /** The board's serial number; without one the router is a virtual CHR. */
  serial?: string;
  /** What `/ip cloud` knows. */
  cloud?: { dnsName?: string; publicAddress?: string; enabled?: boolean };
  /** `/ip address`; `192.168.88.1/24` unless told. */
  addresses?: readonly string[];
  /** Milliseconds since 1970, UTC. */
  clock?: () => number;
  /** Waits for `:delay`; at once unless told. The milliseconds asked for stand in `delays`. */
  delay?: (milliseconds: number) => Promise<void>;
  /** Where a host name leads; undefined: it does not exist. Addresses lead to themselves. */
  resolve?: (host: string) => string | undefined;
  /** Whether `:convert` knows `transform=sha512`. */
  sha512?: boolean;
  /** Authorities in the certificate store, PEM. */
  certificates?: readonly string[];
  /** Milliseconds of silence `/tool fetch` bears without `idle-timeout=`; a router's are 10 000. */
  fetchIdle?: number;
};

export type LogLine = Readonly<{ topic: string; message: string }>;

/** A router that exists only in a test. */
export type Router = Readonly<{
  /** Runs a script; gives what it returns. An error a script does not catch rejects. */
  run(source: string): Promise<Plain>;
  /** Runs a file's content, as `/import` would. */
  import(content: string): Promise<Plain>;
  /** Calls a global function. */
  call(
    name: string,
    args?: readonly Plain[],
    named?: Readonly<Record<string, Plain>>,
  ): Promise<Plain>;
  globals: Map<string, Value>;
  /** A global as a JavaScript value; undefined if it has none. */
  global(name: string): Plain;
  log: LogLine[];
  /** What `:put` and `print` wrote. */
  put: string[];
  /** Milliseconds of every `:delay`. */
  delays: number[];
  /** Every menu command that ran. */
  executed: Executed[];
  fetches: FetchRecord[];
  /** The rows of a menu: `rows("/system scheduler")`. */
  rows(path: string): Record<string, Plain>[];
  saveFile(name: string, contents: string): void;
  /** Runs a scheduler entry as if its time had come. */
  tick(name: string): Promise<void>;
  /** Forgets all globals and runs what the scheduler runs at boot. */
  reboot(): Promise<void>;
  /** When every `:execute` has ended. */
  settled(): Promise<void>;
}>;
