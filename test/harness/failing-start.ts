/** A start that is meant to fail: everything the process said, and its exit code. */
import { once } from "node:events";
import { spawnServer } from "./server-process.ts";

export type FailedStart = Readonly<{ code: number | null; stdout: string; stderr: string }>;

/** @param directory its working directory, where `.env` and the configuration file are looked for */
export const failToStart = async (
  directory: string,
  env: Readonly<Record<string, string>> = {},
): Promise<FailedStart> => {
  const child = spawnServer(directory, env);
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (chunk) => {
      said[stream] += chunk;
      if (said.stdout.includes("claude-relay is up")) {
        // Not what was meant: end it, and let the test see an exit code other than 1.
        child.kill("SIGKILL");
      }
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...said };
};
