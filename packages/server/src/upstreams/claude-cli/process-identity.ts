import { readFileSync } from "node:fs";

/**
 * A process by id and, where the system tells it (Linux), start time: ids are used again. Without a start time
 * it is `<pid> `; empty when there is no such process.
 */
export const identityOf = (pid: number): string => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${pid} ${started}`;
  } catch {
    return isAlive(pid) ? `${pid} ` : "";
  }
};

/** Whether this is the identity of a process that has ended. Of what is no identity it is not known. */
export const hasEnded = (identity: string): boolean => {
  const [pid = ""] = identity.split(" ");
  return /^\d+$/.test(pid) && identityOf(Number(pid)) !== identity;
};

/** Ends a process and its group, if it is surely that very one and leads the group. */
export const endGroupOf = (identity: string): void => {
  const [, pid] = /^([1-9]\d*) \d+$/.exec(identity) ?? [];
  // Group 1 would be everybody's.
  if (pid === undefined || pid === "1" || identityOf(Number(pid)) !== identity) {
    return;
  }
  try {
    process.kill(-Number(pid), "SIGKILL");
  } catch {
    // It has no group of its own, or is another user's.
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
};
