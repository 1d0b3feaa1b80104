import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

type LogLine = Readonly<Record<string, unknown> & { msg: string; level: number }>;

export type LogLines = Readonly<{
  /** Every log line so far. */
  logs: readonly LogLine[];
  /** Resolves with the first line, past or future, that fits. */
  logged(fits: (line: LogLine) => boolean): Promise<LogLine>;
}>;

/** Reads a process's log as it is written. */
export const readLogLines = (stdout: Readable): LogLines => {
  const logs: LogLine[] = [];
  const waiting = new Set<(line: LogLine) => void>();
  createInterface({ input: stdout }).on("line", (text) => {
    const line = JSON.parse(text) as LogLine;
    logs.push(line);
    for (const tell of waiting) {
      tell(line);
    }
  });
  return {
    logs,
    logged: (fits) => {
      const past = logs.find(fits);
      if (past) {
        return Promise.resolve(past);
      }
      return new Promise((resolve) => {
        const tell = (line: LogLine): void => {
          if (fits(line)) {
            waiting.delete(tell);
            resolve(line);
          }
        };
        waiting.add(tell);
      });
    },
  };
};
