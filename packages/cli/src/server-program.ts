import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "./fault.ts";
import { runProgram } from "./passing-program.ts";

/**
 * Runs a program of the server package as a process of its own: clients never import the server.
 * @returns its exit code; 128 + n when signal n ended it
 */
export const runServerProgram = (name: "main" | "doctor-main"): Promise<number> =>
  runProgram({
    // The young generation at 8 MiB: docs/adr/0007.
    command: [process.execPath, "--max-semi-space-size=8", programPath(name)],
    env: process.env,
    cwd: process.cwd(),
  });

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
