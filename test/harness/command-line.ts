/** `claude-relay` as someone runs it who has this checkout: through bin/, in a home of their own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { tempFolder } from "./temp-folder.ts";

export const launcher = new URL("../../bin/claude-relay", import.meta.url).pathname;

export type Ran = Readonly<{ code: number | null; stdout: string; stderr: string }>;

export type Running = Readonly<{
  process: ChildProcess;
  /** Resolves when it has said that, on either output. */
  says(expected: RegExp): Promise<void>;
  ended: Promise<Ran>;
}>;

export type Person = Readonly<{
  home: string;
  /** Claude Code's settings file. */
  settings: string;
  /** The command's own folder. */
  folder: string;
  env: Readonly<Record<string, string>>;
  start(args: readonly string[], options?: Options): Running;
  run(args: readonly string[], options?: Options): Promise<Ran>;
}>;

type Options = Readonly<{ cwd?: string; env?: Readonly<Record<string, string>>; file?: string }>;

/** Someone with an empty home and no keychain. `name`: of the home; may hold spaces. */
export const newPerson = (t: TestContext, name = "home"): Person => {
  const home = join(tempFolder(t), name);
  mkdirSync(home);
  const env = { PATH: process.env["PATH"] ?? "", HOME: home, LANG: "C.UTF-8" };
  const start: Person["start"] = (args, options = {}) => {
    const child = spawn(options.file ?? launcher, args, {
      cwd: options.cwd ?? home,
      env: { ...env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    t.after(() => child.kill("SIGKILL"));
    const said = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (chunk) => {
        said[stream] += chunk;
      });
    }
    const ended = (once(child, "close") as Promise<[number | null]>).then(([code]) => ({
      code,
      ...said,
    }));
    const says = async (expected: RegExp): Promise<void> => {
      while (!expected.test(said.stderr + said.stdout)) {
        const { code } = await Promise.race([
          once(child.stderr, "data").then(() => ({ code: undefined })),
          once(child.stdout, "data").then(() => ({ code: undefined })),
          ended,
        ]);
        if (code !== undefined && !expected.test(said.stderr + said.stdout)) {
          throw new Error(`it ended (${code}) without saying ${expected}:\n${said.stderr}`);
        }
      }
    };
    return { process: child, says, ended };
  };
  return {
    home,
    settings: join(home, ".claude", "settings.json"),
    folder:
      process.platform === "darwin"
        ? join(home, "Library", "Application Support", "claude-relay")
        : join(home, ".config", "claude-relay"),
    env,
    start,
    run: (args, options) => start(args, options).ended,
  };
};
