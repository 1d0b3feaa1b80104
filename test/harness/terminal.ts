/** A program in a pseudo-terminal, driven by keys and read as text. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";

const bridge = new URL("./pty-bridge.py", import.meta.url).pathname;
const python = "/usr/bin/python3";
export const terminalMissing = existsSync(python) ? false : "python3 is not installed";

export type TerminalProgram = Readonly<{
  type(keys: string): void;
  /** Resolves when the text since the last match fits; gives the match. Spaces may be missing in the text. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Ends the program and whatever it started, and waits. */
  close(): Promise<void>;
}>;

/** How long a screen may take: a program of this size starts slowly on a busy machine. */
const patienceMs = 60_000;

export const openTerminal = (
  command: string,
  options: Readonly<{ cwd: string; env: Readonly<Record<string, string>> }>,
): TerminalProgram => {
  const child = spawn(python, [bridge, command], {
    ...options,
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.on("error", () => undefined);
  let text = "";
  let look = (): void => undefined;
  child.stdout.setEncoding("utf8");
  let raw = "";
  child.stdout.on("data", (chunk: string) => {
    raw += chunk;
    // Moves of the cursor go too, which often stand for a space.
    text = stripVTControlCharacters(raw);
    look();
  });
  return {
    close: async () => {
      if (child.exitCode === null) {
        const exited = once(child, "exit");
        child.stdin.end();
        await exited;
      }
    },
    type: (keys) => void child.stdin.write(keys),
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`the terminal never showed ${pattern}:\n${text.slice(-3000)}`));
        }, patienceMs);
        look = () => {
          const match = pattern.exec(text);
          if (match !== null) {
            clearTimeout(timer);
            look = () => undefined;
            raw = "";
            text = "";
            resolve(match);
          }
        };
        look();
      }),
  };
};
