import { spawnSync } from "node:child_process";

/** Why tests with Python cannot run here; undefined when they can. */
export const pythonMissing = (): string | undefined => {
  const check = "import sys; sys.exit(sys.version_info < (3, 9))";
  const { status } = spawnSync("python3", ["-c", check], { stdio: "ignore" });
  return status === 0 ? undefined : "needs Python 3.9 or newer: apt-get install python3";
};
