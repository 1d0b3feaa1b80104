/** What the command line asks for. */

import { parseArgs } from "node:util";
import { PEERS } from "./peers/all.ts";
import type { PeerDefinition } from "./peers/peer.ts";
import { type Effort, FULL, QUICK, type Workload, workloads } from "./workloads.ts";

export const USAGE = `npm run bench -- [--quick] [--only=peer,…] [--workloads=id,…] [--json FILE]
npm run bench -- complete [rounds]

  --quick      about four minutes instead of a quarter of an hour; noisier
  --only       of ${PEERS.map(({ id }) => id).join(", ")}
  --workloads  of ${workloads(FULL)
    .map(({ id }) => id)
    .join(", ")}
  --json FILE  also writes every round's figures
  complete     what Claude Code adds to the latency of /v1/complete, 20 rounds`;

export type Options = Readonly<{
  quick: boolean;
  effort: Effort;
  peers: readonly PeerDefinition[];
  workloads: readonly Workload[];
  json: string | null;
}>;

/** Reads the arguments after the script's name; throws an Error that says what is wrong. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      workloads: { type: "string" },
      json: { type: "string" },
    },
  });
  const effort = values.quick ? QUICK : FULL;
  const usual = values.quick ? PEERS.filter(({ notQuick }) => !notQuick) : PEERS;
  return {
    quick: values.quick,
    effort,
    peers: values.only === undefined ? usual : choose(PEERS, values.only, "peer"),
    workloads:
      values.workloads === undefined
        ? workloads(effort)
        : choose(workloads(effort), values.workloads, "workload"),
    json: values.json ?? null,
  };
}

function choose<T extends { id: string }>(all: readonly T[], list: string, what: string): T[] {
  const wanted = list.split(",");
  const unknown = wanted.filter((id) => !all.some((one) => one.id === id));
  if (unknown.length > 0) {
    throw new Error(`no such ${what}: ${unknown.join(", ")}`);
  }
  return all.filter(({ id }) => wanted.includes(id));
}
