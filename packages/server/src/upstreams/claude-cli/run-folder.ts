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
import { endGroupOf, hasEnded, identityOf } from "./process-identity.ts";

const prefix = "claude-relay-cli-";
const processFile = "process";

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
    writeFileSync(join(this.#base, "owner"), identityOf(process.pid), { mode: 0o600 });
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

  /** Writes down which process lives there, so that it is ended if this relay is killed and cannot. */
  note({ path }: RunFolder, pid: number): void {
    writeFileSync(join(path, processFile), identityOf(pid), { mode: 0o600 });
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

/**
 * Ends and takes away what killed relays left: never what belongs to a living one, or to another user. A process
 * that waits for an answer does not notice by itself that nobody reads it any more.
 */
const sweep = (root: string): void => {
  for (const name of readdirSync(root).filter((each) => each.startsWith(prefix))) {
    const path = join(root, name);
    try {
      const { uid } = lstatSync(path);
      if (uid === process.getuid?.() && hasEnded(readFileSync(join(path, "owner"), "utf8"))) {
        endProcesses(path);
        rmSync(path, { recursive: true, force: true, maxRetries: 3 });
      }
    } catch {
      // Not ours, or another relay was faster.
    }
  }
};

const endProcesses = (base: string): void => {
  for (const run of readdirSync(base)) {
    try {
      endGroupOf(readFileSync(join(base, run, processFile), "utf8"));
    } catch {
      // No process was started there.
    }
  }
};
