/** One `claude-relay connect` at a time changes what this machine is connected to. */
import { join } from "node:path";
import { createFileLock } from "@claude-relay/client/device";
import { Fault } from "./fault.ts";

/** The work itself takes a moment; whoever holds the lock longer is stuck. Milliseconds. */
const patienceMs = 30_000;

/**
 * Does the work while no other process of this user does such work.
 * @throws Fault when another one does not come to an end
 */
export const alone = async <Result>(folder: string, work: () => Result): Promise<Result> => {
  const tooLong = AbortSignal.timeout(patienceMs);
  try {
    return await createFileLock(join(folder, "connections.lock")).hold(async () => work(), tooLong);
  } catch (error) {
    throw tooLong.aborted && error === tooLong.reason
      ? new Fault(
          `Another connect has been at work for too long. Try again, or look for what hangs.`,
        )
      : error;
  }
};
