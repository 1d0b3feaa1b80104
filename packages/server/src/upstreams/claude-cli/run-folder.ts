import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { CliCredential } from "./credential.ts";
import type { Places } from "./environment.ts";

const prefix = "claude-relay-cli-";

/** One process's own throw-away directories. */
export type RunFolder = Places &
  Readonly<{
    path: string;
    /** Takes everything away; never throws. */
    remove(): Promise<void>;
  }>;

/** Where processes live: one directory a relay, swept by the next one if this one is killed. */
export class RunFolders {
  readonly #base: string;

  /** @param root such as the system's temporary directory */
  constructor(root: string) {
    sweep(root);
    // mkdtemp makes it 0700: nobody else can plant settings above a working directory.
    this.#base = mkdtempSync(join(root, prefix));
    writeFileSync(join(this.#base, "owner"), ownerOf(process.pid), { mode: 0o600 });
  }

  /** @param linkLogin the stored login's directory appears under the new home */
  open(credential: CliCredential, linkLogin: boolean): RunFolder {
    const path = mkdtempSync(join(this.#base, "run-"));
    const places = {
      home: join(path, "home"),
      config: join(path, "config"),
      tmp: join(path, "tmp"),
      work: join(path, "work"),
    };
    for (const directory of Object.values(places)) {
      mkdirSync(directory, { mode: 0o700 });
    }
    const config = configOf(credential, places, linkLogin);
    return { ...places, config, path, remove: () => removeQuietly(path) };
  }

  close(): Promise<void> {
    return removeQuietly(this.#base);
  }
}

const removeQuietly = (path: string): Promise<void> =>
  rm(path, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});

/**
 * A stored login needs its real directory: a renewed token must be written back where it came from.
 * Of `.claude.json` the account alone is taken along: no MCP servers, no projects.
 */
const configOf = (
  credential: CliCredential,
  { home, config }: Readonly<{ home: string; config: string }>,
  linkLogin: boolean,
): string | null => {
  if (credential.kind !== "stored_login") {
    return config;
  }
  if (credential.configDir !== null) {
    return credential.configDir;
  }
  if (linkLogin) {
    symlinkSync(join(credential.home, ".claude"), join(home, ".claude"));
  } else {
    mkdirSync(join(home, ".claude"), { mode: 0o700 });
  }
  const account = JSON.stringify(accountOf(credential.home));
  writeFileSync(join(home, ".claude.json"), account, { mode: 0o600 });
  return null;
};

const accountOf = (home: string): object => {
  try {
    const all: unknown = JSON.parse(readFileSync(join(home, ".claude.json"), "utf8"));
    const kept = ["oauthAccount", "userID", "primaryApiKey", "hasCompletedOnboarding"];
    return Object.fromEntries(
      Object.entries(all as object).filter(([name]) => kept.includes(name)),
    );
  } catch {
    return {};
  }
};

/** Takes away what killed relays left: never what belongs to a living one, or to another user. */
const sweep = (root: string): void => {
  for (const name of readdirSync(root).filter((each) => each.startsWith(prefix))) {
    const path = join(root, name);
    try {
      const { uid } = lstatSync(path);
      if (uid === process.getuid?.() && isAbandoned(readFileSync(join(path, "owner"), "utf8"))) {
        rmSync(path, { recursive: true, force: true });
      }
    } catch {
      // Not ours, or another relay was faster.
    }
  }
};

const isAbandoned = (owner: string): boolean => {
  const [pid = ""] = owner.split(" ");
  return /^\d+$/.test(pid) && ownerOf(Number(pid)) !== owner;
};

/** A process by id and start time, where the system tells it: ids are used again. */
const ownerOf = (pid: number): string => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${pid} ${started}`;
  } catch {
    return isAlive(pid) ? `${pid} ` : "";
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
};
