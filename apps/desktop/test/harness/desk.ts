/** A desk to put the app on: a display, a session bus, a keychain or none, and a home folder; all its own. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
import { until } from "./poll.ts";

export type Desk = Readonly<{
  home: string;
  env: Readonly<Record<string, string>>;
  /** What the display shows, as a PNG. */
  screenshot(): Buffer;
  close(): Promise<void>;
}>;

/** @param keychain whether there is an unlocked one, or none and no session bus either */
export const setUpDesk = async ({ keychain }: Readonly<{ keychain: boolean }>): Promise<Desk> => {
  const home = mkdtempSync(join(tmpdir(), "claude-relay-desk-"));
  const runtime = join(home, "run");
  mkdirSync(runtime, { mode: 0o700 });
  const bare = {
    PATH: process.env["PATH"] ?? "",
    LANG: "C.UTF-8",
    HOME: home,
    XDG_RUNTIME_DIR: runtime,
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_DATA_HOME: join(home, ".local/share"),
    XDG_CACHE_HOME: join(home, ".cache"),
    // Left to itself GTK starts a bus of its own for these.
    NO_AT_BRIDGE: "1",
    GTK_A11Y: "none",
    GSETTINGS_BACKEND: "memory",
  };
  const children: Child[] = [];
  const display = await startDisplay(bare, children);
  const withDisplay = { ...bare, DISPLAY: display };
  const env = keychain ? await startKeychain(withDisplay, children) : withDisplay;
  return {
    home,
    env,
    screenshot: () =>
      execFileSync(
        "import",
        ["-window", "root", "-strip", "-define", "png:exclude-chunks=date,time", "png:-"],
        { env, maxBuffer: 2 ** 26 },
      ),
    close: async () => {
      for (const child of children.reverse()) {
        await child.end();
      }
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
};

type Env = Readonly<Record<string, string>>;

/** On a display number that is free. */
const startDisplay = async (env: Env, children: Child[]): Promise<string> => {
  const options = ["-displayfd", "3", "-screen", "0", "1280x800x24", "-nolisten", "tcp"];
  const server = startChild("Xvfb", options, env, ["ignore", "ignore", "ignore", "pipe"]);
  children.push(server);
  const [, number = ""] = await server.wrote(/^(\d+)\n/);
  return `:${number}`;
};

const startKeychain = async (env: Env, children: Child[]): Promise<Env> => {
  const bus = startChild("dbus-daemon", ["--session", "--nofork", "--print-address"], env);
  children.push(bus);
  const [, address = ""] = await bus.wrote(/^(unix:\S+)\n/m);
  const onBus = { ...env, DBUS_SESSION_BUS_ADDRESS: address };
  const options = ["--foreground", "--unlock", "--components=secrets"];
  const daemon = startChild("gnome-keyring-daemon", options, onBus, ["pipe", "pipe", "pipe"]);
  children.push(daemon);
  daemon.process.stdin?.end("password of the test");
  await until("the keychain is on the bus", () => ownsSecrets(onBus));
  return onBus;
};

const ownsSecrets = (env: Env): boolean => {
  const options = ["--session", "--print-reply=literal", "--dest=org.freedesktop.DBus"];
  const call = ["/", "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"];
  return execFileSync("dbus-send", [...options, ...call], { env, encoding: "utf8" }).includes(
    "true",
  );
};
