/** The app as its package installs it, started by WebKit's driver and driven through it. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { freePort } from "../../../../test/harness/loopback.ts";
import { startChild } from "./child.ts";
import type { Desk } from "./desk.ts";
import { builtPackage } from "./missing.ts";
import { until } from "./poll.ts";
import { WebDriver } from "./webdriver.ts";

export type App = Readonly<{
  page: WebDriver;
  /** What shell and main process wrote to the console so far. */
  log(): string;
  /** Waits for a line of the log. */
  logged(pattern: RegExp): Promise<RegExpExecArray>;
  /** The process id of the shell or of the main process. */
  pid(which: "shell" | "main"): Promise<number>;
  /** Ends the app as the close of its window does. */
  close(): Promise<void>;
}>;

const names = { shell: "claude-relay-desktop", main: "claude-relay-desktop-main" } as const;

/** The package's files, unpacked; `close` when no app of it runs any more. */
export const unpackPackage = (): Readonly<{ program: string; close(): void }> => {
  const folder = mkdtempSync(join(tmpdir(), "claude-relay-deb-"));
  execFileSync("dpkg-deb", ["--extract", builtPackage() ?? "", folder]);
  return {
    program: join(folder, "usr/bin", names.shell),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
};

/** Starts the program on the desk and resolves when its window can be driven. */
export const startApp = async (
  program: string,
  desk: Desk,
  settings: Readonly<Record<string, string>> = {},
): Promise<App> => {
  // The driver takes no port 0.
  const port = await freePort();
  // Tauri lets a driver in when it is told to by its environment; tauri-driver does no more on Linux.
  const env = { ...desk.env, ...settings, TAURI_WEBVIEW_AUTOMATION: "true" };
  const driver = startChild("WebKitWebDriver", [`--port=${port}`], env);
  const url = `http://127.0.0.1:${port}`;
  await until("the driver answers", () => answers(`${url}/status`));
  const page = await WebDriver.open(url, program);
  const pid = (which: keyof typeof names): Promise<number> =>
    until(`${which} runs`, () => childOf(driver.process.pid ?? 0, names[which]));
  const shell = await pid("shell");
  return {
    page,
    log: driver.output,
    logged: driver.wrote,
    pid,
    close: async () => {
      // The end of the session alone leaves the app running.
      await page.closeWindow().catch(() => undefined);
      await until("the app ended", () => !isAlive(shell));
      await driver.end();
    },
  };
};

/** A zombie that nobody waits for has ended too. */
export const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}/exe`);

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

/** A process of that name among the descendants of another. */
const childOf = (ancestor: number, name: string): number | undefined => {
  for (const child of childrenOf(ancestor)) {
    const found = programOf(child) === name ? child : childOf(child, name);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
};

const childrenOf = (pid: number): number[] =>
  readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && parentOf(Number(entry)) === pid)
    .map(Number);

const parentOf = (pid: number): number | undefined => {
  try {
    // The name before it stands in brackets and may hold anything.
    const [, parent] =
      readFileSync(`/proc/${pid}/stat`, "utf8").split(/\) /).at(-1)?.split(" ") ?? [];
    return Number(parent);
  } catch {
    return undefined;
  }
};

const programOf = (pid: number): string | undefined => {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    return undefined;
  }
};
