/** The command that Claude Code runs for a token: absolute and quoted, so that it works from any folder. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** @param url of the relay: another one connected later does not change whose token this is */
export const helperCommand = (url: string): string =>
  [...program(), "token", "--url", url].map(quoted).join(" ");

/** A checkout's own launcher, which finds the Node that belongs to it; an installed package has only this Node. */
const program = (): readonly string[] => {
  const launcher = fileURLToPath(new URL("../../../../bin/claude-relay", import.meta.url));
  if (process.platform !== "win32" && existsSync(launcher)) {
    return [launcher];
  }
  const file = import.meta.url.endsWith(".ts") ? "../main.ts" : "../main.js";
  return [process.execPath, fileURLToPath(new URL(file, import.meta.url))];
};

/** For the shell that runs it; plain words stay as they are. */
const quoted = (word: string): string => {
  if (/^[\w@%+=:,./-]+$/.test(word)) {
    return word;
  }
  return process.platform === "win32" ? `"${word}"` : `'${word.replaceAll("'", "'\\''")}'`;
};
