import { closeSync, openSync, readFileSync } from "node:fs";

/**
 * Whether what is typed as Ctrl-C at a terminal reaches this process and all it started: then it is in the
 * foreground of its controlling terminal, wherever its standard input comes from.
 */
export const terminalSignalsAll = (platform: string = process.platform): boolean => {
  switch (platform) {
    case "linux":
      return isForeground(readFileSync("/proc/self/stat", "utf8"));
    case "win32":
      // Each of a console's programs is told, and no other signal of that kind exists there.
      return true;
    default:
      // Which group is in the foreground cannot be asked here. In the background nothing can be typed at it.
      return hasTerminal();
  }
};

/** @param stat /proc/<pid>/stat: the program's name, in brackets, may hold anything. proc_pid_stat(5) */
export const isForeground = (stat: string): boolean => {
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return group !== undefined && group === foreground;
};

const hasTerminal = (): boolean => {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
};
