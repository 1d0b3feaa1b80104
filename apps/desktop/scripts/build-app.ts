/** The build's steps, for `build.ts` and `start.ts`. */
import { execFileSync, spawnSync } from "node:child_process";
import { bundleMain } from "./bundle-main.ts";
import { bundleRenderer } from "./bundle-renderer.ts";
import { noteBuilt } from "./freshness.ts";
import { appFolder, repository } from "./paths.ts";
import { describeMissing, missingTools } from "./prerequisites.ts";

/** What to do when window and main process are bundled. */
export type Goal = "parts" | "app" | "package";

/** The installable package of each system. */
const packageOf: Readonly<Record<string, string>> = { darwin: "app,dmg", win32: "nsis" };

/** Builds as far as the goal. Says what is missing and exits with 1 where it cannot. */
export const buildApp = async (goal: Goal): Promise<void> => {
  const missing = missingTools();
  if (missing.length > 0) {
    console.error(describeMissing(missing));
    process.exit(1);
  }
  const begun = new Date();
  console.log("Bundling window and main process …");
  await bundleRenderer();
  await bundleMain(hostTriple());
  if (goal === "parts") {
    return;
  }
  console.log("Building the shell (the first time: some minutes) …");
  runTauri(goal);
  noteBuilt(begun);
};

const runTauri = (goal: Exclude<Goal, "parts">): void => {
  const bundles = packageOf[process.platform] ?? "deb";
  const { status } = spawnSync(
    process.execPath,
    [
      `${repository}node_modules/@tauri-apps/cli/tauri.js`,
      "build",
      ...(goal === "package" ? ["--bundles", bundles] : ["--no-bundle"]),
    ],
    { cwd: appFolder, stdio: "inherit" },
  );
  if (status !== 0) {
    process.exit(1);
  }
};

const hostTriple = (): string => {
  const triple = /^host: (\S+)$/m.exec(execFileSync("rustc", ["-vV"], { encoding: "utf8" }))?.[1];
  if (triple === undefined) {
    throw new Error("rustc -vV does not name its host");
  }
  return triple;
};
