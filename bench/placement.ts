/** Which processor core each process gets: the server under test never shares its own. */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

export type Placement = Readonly<{
  /** The core of the servers under test, of the upstream and of the load; null: not pinned. */
  server: number | null;
  upstream: number | null;
  load: number | null;
  /** The core of Redis and Postgres, for the rows that use them. */
  databases: number | null;
  /** What the reader of the figures must know about the above. */
  note: string;
}>;

/** Chooses cores among those this process may use. */
export function choosePlacement(): Placement {
  const cores = allowedCores();
  const nowhere = { server: null, upstream: null, load: null, databases: null };
  if (spawnSync("taskset", ["--version"]).status !== 0) {
    return {
      ...nowhere,
      note: "taskset is not installed (apt-get install util-linux): not pinned",
    };
  }
  const [first, second] = cores;
  if (first === undefined || second === undefined) {
    return { ...nowhere, note: "one core only: everything shares it, so compare nothing but CPU" };
  }
  if (cores.length === 2) {
    return {
      server: first,
      upstream: second,
      load: second,
      databases: second,
      note: `two cores only: servers on core ${first}; upstream and load share core ${second}, so requests/s and latency are theirs as much as the server's`,
    };
  }
  // The first core is left to the rest of the machine where there is one to spare; databases belong to it.
  const [server, upstream, load] = cores.slice(-3);
  if (server === undefined || upstream === undefined || load === undefined) {
    throw new Error("cores");
  }
  return {
    server,
    upstream,
    load,
    databases: cores.at(-4) ?? upstream,
    note: `servers on core ${server}, upstream on core ${upstream}, load on core ${load}; Redis and Postgres, if measured, on core ${cores.at(-4) ?? upstream}`,
  };
}

/** Pins this process, which makes the load, and all its threads. */
export function pinSelf(core: number | null): void {
  if (core !== null) {
    spawnSync("taskset", ["-a", "-c", "-p", String(core), String(process.pid)]);
  }
}

/** The command line, made to run on a core. */
export function onCore(core: number | null, commandLine: readonly string[]): string[] {
  return core === null ? [...commandLine] : ["taskset", "-c", String(core), ...commandLine];
}

/** The kernel's list, such as `0-3,6`. */
function allowedCores(): number[] {
  const status = readFileSync("/proc/self/status", "latin1");
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? "0";
  return list.split(",").flatMap((range) => {
    const [from = 0, to = from] = range.split("-").map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}
