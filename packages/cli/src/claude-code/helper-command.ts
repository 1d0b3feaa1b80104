/** The command that Claude Code runs for a token: absolute and quoted, so that it works from any folder. */
import { fileURLToPath } from "node:url";
import { ownLauncher, quoted } from "../own-name.ts";

/** @param url of the relay: another one connected later does not change whose token this is */
export const helperCommand = (url: string): string =>
  [...program(), "token", "--url", url].map(quoted).join(" ");

/** A checkout's own launcher, which finds the Node that belongs to it; an installed package has only this Node. */
const program = (): readonly string[] => {
  const launcher = ownLauncher();
  if (launcher !== null) {
    return [launcher];
  }
  if (!import.meta.url.endsWith(".ts")) {
    return [process.execPath, fileURLToPath(new URL("../main.js", import.meta.url))];
  }
  const cache = new URL("../../../../scripts/compile-cache.mjs", import.meta.url);
  const main = new URL("../main.ts", import.meta.url);
  return [process.execPath, "--import", cache.href, fileURLToPath(main)];
};
