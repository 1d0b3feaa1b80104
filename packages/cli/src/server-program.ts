import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "./fault.ts";

/**
 * Runs a program of the server package as a process of its own (clients never import the server), with this
 * terminal and folder, and passes signals on.
 * @returns its exit code; 128 + n when signal n ended it
 */
export const runServerProgram = async (name: "main" | "doctor-main"): Promise<number> => {
  // The young generation at 8 MiB: docs/adr/0007.
  const child = spawn(process.execPath, ["--max-semi-space-size=8", programPath(name)], {
    stdio: "inherit",
  });
  const pass = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  // Ctrl-C reaches the whole terminal group: passed on as well, the relay would take it for the second one
  // and cut answers off.
  const passInterrupt = (): void => {
    if (!process.stdin.isTTY) {
      child.kill("SIGINT");
    }
  };
  process.on("SIGTERM", pass).on("SIGHUP", pass).on("SIGINT", passInterrupt);
  return await new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Fault(`It could not be started: ${error.message}`)));
    child.once("exit", (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
};

/** TypeScript in a checkout, JavaScript when installed. */
const programPath = (name: string): string => {
  const folder = join(dirname(serverManifest()), "src");
  const path = [`${name}.ts`, `${name}.js`].map((file) => join(folder, file)).find(existsSync);
  if (path === undefined) {
    throw new Fault(
      `This version of @claude-relay/server has no ${name}: install the one that belongs to this command.`,
    );
  }
  return path;
};

const serverManifest = (): string => {
  try {
    return fileURLToPath(import.meta.resolve("@claude-relay/server/package.json"));
  } catch {
    throw new Fault("The server is not installed here: npm install @claude-relay/server");
  }
};
