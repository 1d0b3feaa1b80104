import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";

/** A program that a test started, with all it wrote. */
export type Child = Readonly<{
  process: ChildProcess;
  output(): string;
  /** Resolves when what it wrote fits. @throws when it ends before */
  wrote(pattern: RegExp): Promise<RegExpExecArray>;
  /** SIGTERM, and SIGKILL when that does not help; waits. */
  end(): Promise<void>;
}>;

const patienceMs = 5_000;

export const startChild = (
  program: string,
  options: readonly string[],
  env: NodeJS.ProcessEnv,
  stdio: SpawnOptions["stdio"] = ["ignore", "pipe", "pipe"],
): Child => {
  const child = spawn(program, options, { env, stdio });
  const ended = once(child, "exit");
  let output = "";
  let look = (): void => undefined;
  for (const stream of child.stdio.slice(1)) {
    stream?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      look();
    });
  }
  return {
    process: child,
    output: () => output,
    wrote: (pattern) =>
      new Promise((resolve, reject) => {
        const stop = (): void => reject(new Error(`${program} never wrote ${pattern}:\n${output}`));
        look = () => {
          const match = pattern.exec(output);
          if (match !== null) {
            child.off("exit", stop);
            resolve(match);
          }
        };
        child.once("exit", stop);
        look();
      }),
    end: async () => {
      if (child.exitCode !== null || child.signalCode !== null) {
        return;
      }
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
      await ended;
      clearTimeout(timer);
    },
  };
};
