/** Proofs that the relay did what its row says, before it is timed. */

import { readdirSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { shortBody } from "../bodies.ts";
import { requestBytes } from "../requests.ts";

const PATIENCE_MS = 10_000;

export const ADMIN_TOKEN = "bench-admin-token-0123456789abcdef";

/** Asks the admin API; throws unless it answers as it should. */
export async function askAdmin(port: number, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${port}/admin/${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(5_000),
  });
  if (!answer.ok) {
    throw new Error(`/admin/${path}: ${answer.status} ${await answer.text()}`);
  }
  return answer.json();
}

/** A month's budget of the whole relay that no run can spend; gives its id. */
export async function setBudget(port: number): Promise<string> {
  const limit = { limit_micro_usd: 1_000_000_000_000 };
  const budget = await askAdmin(port, "budgets", { scope: "relay", window: "month", ...limit });
  return (budget as { id: string }).id;
}

/** Demands that the requests so far were paid from the budget. */
export async function proveSpending(port: number, budget: string): Promise<void> {
  await within("nothing was spent of the budget", async () => {
    const { spent } = (await askAdmin(port, `budgets/${budget}`)) as { spent: number };
    return spent > 0;
  });
}

/** Demands that each of so many processes answers calls: each keeps a journal of its own. */
export async function proveProcesses(
  port: number,
  headers: Readonly<Record<string, string>>,
  { dataDir, processes }: Readonly<{ dataDir: string; processes: number }>,
): Promise<void> {
  const request = requestBytes(port, { answer: "json", body: shortBody(false) }, headers);
  const answering = new Set<string>();
  await within(`fewer than ${processes} processes answer`, async () => {
    await onNewConnection(port, request);
    for (const worker of readdirSync(dataDir).filter((name) => name.startsWith("worker-"))) {
      if (hasJournal(join(dataDir, worker, "journal"))) {
        answering.add(worker);
      }
    }
    return answering.size === processes;
  });
}

function hasJournal(folder: string): boolean {
  try {
    return readdirSync(folder).some((file) => statSync(join(folder, file)).size > 0);
  } catch {
    // Not made yet, or a segment was put away while we looked.
    return false;
  }
}

/** The processes take connections in turn, so a new one reaches the next. */
function onNewConnection(port: number, request: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(request));
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error("no answer")));
    socket.once("data", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}

async function within(fault: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) {
      throw new Error(fault);
    }
    await sleep(25);
  }
}
