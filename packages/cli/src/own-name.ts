/** How someone who reads a message can start this program again, as they started it. */
import { existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

type Started = Readonly<{
  env: Readonly<Record<string, string | undefined>>;
  /** The program and its script: `process.execPath` and `process.argv[1]`. */
  program: readonly [string, string];
  /** The checkout's launcher; null where this is an installed package. */
  launcher: string | null;
}>;

/**
 * The words that start this program again from where the person is: `claude-relay` when PATH leads to it,
 * `./bin/claude-relay` in the checkout's own folder, else where it lies.
 */
export const nameFor = ({ env, program, launcher }: Started): string => {
  const file = launcher ?? program[1];
  if (isOnPath(env["PATH"] ?? "", file)) {
    return "claude-relay";
  }
  if (launcher === null) {
    return program.map(quoted).join(" ");
  }
  const checkout = dirname(dirname(launcher));
  return env["CLAUDE_RELAY_CALLED_FROM"] === checkout ? "./bin/claude-relay" : quoted(launcher);
};

let known: string | undefined;

/** The same for this process. */
export const ownName = (): string => {
  known ??= nameFor({
    env: process.env,
    program: [
      process.execPath,
      process.argv[1] ?? fileURLToPath(new URL("main.ts", import.meta.url)),
    ],
    launcher: ownLauncher(),
  });
  return known;
};

/** A checkout's own launcher, which finds the Node that belongs to it. Windows has no use for it. */
export const ownLauncher = (): string | null => {
  const launcher = fileURLToPath(new URL("../../../bin/claude-relay", import.meta.url));
  return process.platform !== "win32" && existsSync(launcher) ? launcher : null;
};

/** For the shell that reads it; plain words stay as they are. */
export const quoted = (word: string): string => {
  // A word that begins with = is a program's place to zsh.
  if (/^(?!=)[\w@%+=:,./-]+$/.test(word)) {
    return word;
  }
  return process.platform === "win32" ? `"${word}"` : `'${word.replaceAll("'", "'\\''")}'`;
};

const isOnPath = (path: string, file: string): boolean => {
  const found = path
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, "claude-relay"))
    .find((candidate) => existsSync(candidate));
  return found !== undefined && samePlace(found, file);
};

const samePlace = (one: string, other: string): boolean => {
  try {
    return realpathSync(one) === realpathSync(other);
  } catch {
    return false;
  }
};
