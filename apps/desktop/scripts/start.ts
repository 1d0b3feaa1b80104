/**
 * `npm run desktop`: builds the app when it is not built or its sources changed, and starts it. Settings come
 * from the environment or from `.env`, in this folder or the repository's.
 */
import { spawn } from "node:child_process";
import { buildApp } from "./build-app.ts";
import { isFresh } from "./freshness.ts";
import { appFolder, builtApp, repository } from "./paths.ts";
import { readSettings } from "./settings.ts";

if (!isFresh()) {
  await buildApp("app");
}
const settings = readSettings(process.env, [`${appFolder}.env`, `${repository}.env`]);
const app = spawn(builtApp, { stdio: "inherit", env: { ...process.env, ...settings } });
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => app.kill(signal));
}
app.on("exit", (code) => process.exit(code ?? 1));
