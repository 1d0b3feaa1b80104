/** What a process and its children have used so far, read from /proc (Linux only). */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks a second in /proc/PID/stat; 100 on every common Linux, but asked for all the same. */
let ticksPerSecond = 0;

/**
 * CPU time in ms: user and system, all threads, all children, those that ended included (Postgres starts and
 * ends them as it likes). See proc(5): utime, stime, cutime, cstime.
 */
export function cpuMs(pid: number): number {
  let ticks = 0;
  for (const member of processTree(pid)) {
    const stat = readMember(pid, member, "stat");
    // The second field is the program's name in brackets, which may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    for (const field of fields.slice(11, 15)) {
      ticks += Number(field);
    }
  }
  return (ticks * 1000) / clockTicks();
}

/** How long these cores were busy or stolen since the machine started, in ms. See proc(5), /proc/stat. */
export function coresBusyMs(cores: readonly number[]): number {
  let ticks = 0;
  for (const line of readFileSync("/proc/stat", "latin1").split("\n")) {
    const [name = "", ...times] = line.split(/\s+/);
    if (!cores.some((core) => name === `cpu${core}`)) {
      continue;
    }
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = times.map(Number);
    ticks += user + nice + system + irq + softirq + steal;
  }
  return (ticks * 1000) / clockTicks();
}

/** Resident memory in KiB, children included. */
export function rssKib(pid: number): number {
  let kib = 0;
  for (const member of processTree(pid)) {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readMember(pid, member, "status"));
    kib += Number(line?.[1] ?? 0);
  }
  return kib;
}

function clockTicks(): number {
  ticksPerSecond ||= Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  return ticksPerSecond;
}

function processTree(pid: number): number[] {
  const tree = [pid];
  for (const parent of tree) {
    for (const thread of threads(pid, parent)) {
      const children = readMember(pid, parent, `task/${thread}/children`).trim();
      if (children !== "") {
        tree.push(...children.split(" ").map(Number));
      }
    }
  }
  return tree;
}

function threads(root: number, member: number): string[] {
  return whileItLives(root, member, () => readdirSync(`/proc/${member}/task`)) ?? [];
}

/** One file of a process, empty if it ended while we looked; the root of the tree must not have. */
function readMember(root: number, member: number, file: string): string {
  return whileItLives(root, member, () => readFileSync(`/proc/${member}/${file}`, "latin1")) ?? "";
}

function whileItLives<T>(root: number, member: number, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (member === root) {
      throw error;
    }
    return null;
  }
}
