import { cliArguments } from "./arguments.ts";
import { CliProcess, type Launch, type ProcessLimits } from "./cli-process.ts";
import type { CliCredential } from "./credential.ts";
import { cliEnvironment } from "./environment.ts";
import { everyLock, type Locks } from "./locks.ts";
import { type RunFolder, RunFolders } from "./run-folder.ts";
import { inPlace, type Sandbox } from "./sandbox.ts";

export type LaunchOptions = Readonly<{
  binary: string;
  sandbox: Sandbox;
  credential: CliCredential;
  baseUrl: string | null;
  /** The model a process starts with; each call sets its own. */
  defaultModel: string;
}>;

/** @param locks all of them, but in tests that show what each is for */
export const planLaunch = (options: LaunchOptions, folder: RunFolder, locks: Locks): Launch => {
  const { credential, defaultModel: model, baseUrl } = options;
  const flags = cliArguments({ credential: credential.kind, model }, locks);
  const command = inPlace(options.sandbox, options.binary, flags, folder, credential);
  return {
    file: command.file,
    arguments: command.arguments,
    environment: cliEnvironment({ credential, places: command.places, baseUrl }, locks),
    directory: folder.work,
    cleanUp: folder.remove,
  };
};

/** Starts locked processes and knows those that live. */
export class Launcher {
  readonly #options: LaunchOptions & Readonly<{ limits: ProcessLimits }>;
  readonly #folders: RunFolders;
  readonly #living = new Set<CliProcess>();

  constructor(options: LaunchOptions & Readonly<{ limits: ProcessLimits; tempRoot: string }>) {
    this.#options = options;
    this.#folders = new RunFolders(options.tempRoot);
  }

  /** @throws when there is no room for another process; one whose program is missing ends at once instead */
  start(): CliProcess {
    const { credential, sandbox, limits } = this.#options;
    const folder = this.#folders.open(credential, sandbox.kind === "none");
    try {
      const process = new CliProcess(planLaunch(this.#options, folder, everyLock), limits);
      this.#living.add(process);
      this.#note(folder, process);
      void process.gone.then(() => this.#living.delete(process));
      return process;
    } catch (error) {
      void folder.remove();
      throw error;
    }
  }

  #note(folder: RunFolder, process: CliProcess): void {
    try {
      if (process.pid !== undefined) {
        this.#folders.note(folder, process.pid);
      }
    } catch (error) {
      process.kill("it could not be written down");
      throw error;
    }
  }

  /** Ends every process. Resolves when nothing of them is left. */
  async close(): Promise<void> {
    const living = [...this.#living];
    for (const process of living) {
      process.kill("the relay stops");
    }
    await Promise.all(living.map(({ gone }) => gone));
    await this.#folders.close();
  }
}
