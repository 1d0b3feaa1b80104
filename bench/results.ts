/** The figures of a run, round by round, and their medians. */

import type { PeerId } from "./peers/peer.ts";
import type { WorkloadId } from "./workloads.ts";

/** A row: a server, or the upstream itself. */
export type RowId = PeerId | "direct";

/** What is measured; units are in the names. `cpuUs` is per request, or per event for streams. */
export type Metric =
  | "cpuUs"
  | "perSecond"
  | "redisUs"
  | "postgresUs"
  | "busy"
  | "addedP50Ms"
  | "addedP99Ms"
  | "latencyPerSecond"
  | "idleMib"
  | "openMib"
  | "kibPerStream";

export type Failure = Readonly<{ row: RowId; workload: WorkloadId; why: string }>;

export class Results {
  readonly failures: Failure[] = [];
  readonly #samples = new Map<string, number[]>();

  add(row: RowId, workload: WorkloadId, metric: Metric, value: number): void {
    const key = `${row} ${workload} ${metric}`;
    this.#samples.set(key, [...(this.#samples.get(key) ?? []), value]);
  }

  fail(row: RowId, workload: WorkloadId, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.failures.push({ row, workload, why });
  }

  /** The median of the rounds, or null if nothing was measured. */
  median(row: RowId, workload: WorkloadId, metric: Metric): number | null {
    const samples = this.#samples.get(`${row} ${workload} ${metric}`);
    return samples ? quantile(samples, 0.5) : null;
  }

  /**
   * How many times `base`'s figure a row's is. Rounds are interleaved, so the median of each round's
   * own ratio is steadier than the ratio of medians; that is for rows that missed different rounds.
   */
  ratio(row: RowId, base: RowId, workload: WorkloadId, metric: Metric): number | null {
    const own = this.#samples.get(`${row} ${workload} ${metric}`);
    const theirs = this.#samples.get(`${base} ${workload} ${metric}`);
    if (!own || !theirs) {
      return null;
    }
    if (own.length !== theirs.length) {
      return quantile(own, 0.5) / quantile(theirs, 0.5);
    }
    return quantile(
      own.map((value, round) => value / (theirs[round] ?? Number.NaN)),
      0.5,
    );
  }

  /** Every round's figure, for a file. */
  toJSON(): { samples: Record<string, number[]>; failures: Failure[] } {
    return { samples: Object.fromEntries(this.#samples), failures: this.failures };
  }
}

/** The value below which a share `q` of the samples lies, interpolated; NaN for none. */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}
