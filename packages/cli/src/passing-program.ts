import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { Fault } from "./fault.ts";
import { terminalSignalsAll } from "./terminal-group.ts";

type Started = Readonly<{
  command: readonly [string, ...string[]];
  env: NodeJS.ProcessEnv;
  cwd: string;
}>;

const passed = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT"] as const;

/**
 * Runs a program with this terminal, passes signals on and waits for its end.
 * @returns its exit code; 128 + n when signal n ended it; as a shell says, 127 when there is no such program
 *   and 126 when it may not be run
 */
export const runProgram = async ({ command, env, cwd }: Started): Promise<number> => {
  const [file, ...args] = command;
  let child: ChildProcess | null = null;
  const pass = (signal: NodeJS.Signals): void => void child?.kill(signal);
  // Ctrl-C and Ctrl-\ reach the program by themselves; this process only has to outlive them.
  const passUnlessTyped = (signal: NodeJS.Signals): void => {
    if (!terminalSignalsAll()) {
      pass(signal);
    }
  };
  // Before the program starts: a signal that comes at once would end this process and leave the program behind.
  for (const signal of passed) {
    process.on(signal, pass);
  }
  process.on("SIGINT", passUnlessTyped).on("SIGQUIT", passUnlessTyped);
  const started = spawn(file, args, { stdio: "inherit", env, cwd });
  child = started;
  return await new Promise((resolve, reject) => {
    started.once("error", (error: NodeJS.ErrnoException) => {
      reject(new NotStarted(file, error.code ?? error.message));
    });
    started.once("exit", (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
};

/** The program could not be run at all. */
export class NotStarted extends Fault {
  override readonly exitCode: number;

  constructor(file: string, code: string) {
    super(
      code === "ENOENT"
        ? `There is no program ${file} on PATH, or no such folder to run it in.`
        : `${file} cannot be run (${code}).`,
    );
    this.exitCode = code === "ENOENT" ? 127 : 126;
  }
}
