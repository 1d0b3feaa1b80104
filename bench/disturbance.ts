/** How much of the benchmark's cores other programs used meanwhile: the reader must know. */

import { existsSync } from "node:fs";
import { coresBusyMs, cpuMs } from "./cpu.ts";
import type { Placement } from "./placement.ts";

/** Above this share, waiting for other programs shows in latency and requests/s. */
const QUIET = 0.03;

/** Starts watching; the function it gives says in one line what was seen so far, or null unpinned. */
export function watchDisturbance(
  placement: Placement,
  pids: readonly number[],
): () => string | null {
  const cores = [...new Set([placement.server, placement.upstream, placement.load])].filter(
    (core) => core !== null,
  );
  if (cores.length === 0) {
    return () => null;
  }
  const ownMs = (): number => pids.reduce((sum, pid) => sum + cpuMs(pid), selfMs());
  const startedAt = performance.now();
  const busyBefore = coresBusyMs(cores);
  const ownBefore = ownMs();
  return () => {
    if (!pids.every((pid) => existsSync(`/proc/${pid}`))) {
      return "What other programs took of these cores is unknown: a server ended before its time";
    }
    const others = coresBusyMs(cores) - busyBefore - (ownMs() - ownBefore);
    const share = Math.max(0, others / (cores.length * (performance.now() - startedAt)));
    const verdict =
      share > QUIET
        ? "too much for latency and requests/s to mean anything; CPU and its ratios still do"
        : "quiet";
    return `Other programs took ${(share * 100).toFixed(1)} % of these cores: ${verdict}`;
  };
}

/** This process makes the load; its children are counted by themselves. */
function selfMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
