import { randomBytes } from "node:crypto";
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { makeDataDir } from "./config/data-dir.ts";
import { Fault } from "./config/setting.ts";
import { settings } from "./config/settings.ts";
import type { Config } from "./config.ts";
import { parseObject } from "./pipeline/json/parse-object.ts";

export type Secrets = Readonly<{
  jwtSecret: string;
  adminToken: string;
  /** True when the admin token was made just now: the one time it is shown. */
  adminTokenIsNew: boolean;
}>;

type Stored = { jwt_secret?: string; admin_token?: string };

/**
 * The configured secrets; in development on loopback missing ones are made once
 * and kept in `DATA_DIR/secrets.json` (0600). config.ts refuses to get here otherwise.
 * @throws Error naming the file and the remedy when it cannot be used; its content is not told
 */
export const loadSecrets = (config: Config): Secrets => {
  if (config.jwtSecret !== null && config.adminToken !== null) {
    return { jwtSecret: config.jwtSecret, adminToken: config.adminToken, adminTokenIsNew: false };
  }
  if (!config.mayGenerateSecrets) {
    throw new Error("JWT_SECRET and ADMIN_TOKEN are required here");
  }
  const stored = readStored(config.dataDir);
  const jwtSecret = config.jwtSecret ?? stored.jwt_secret ?? randomBytes(32).toString("base64");
  const adminToken =
    config.adminToken ??
    stored.admin_token ??
    `relay-admin-${randomBytes(32).toString("base64url")}`;
  const next: Stored = {
    ...stored,
    ...(config.jwtSecret === null && { jwt_secret: jwtSecret }),
    ...(config.adminToken === null && { admin_token: adminToken }),
  };
  if (JSON.stringify(next) !== JSON.stringify(stored)) {
    writePrivately(config.dataDir, `${JSON.stringify(next, null, 2)}\n`);
  }
  return {
    jwtSecret,
    adminToken,
    adminTokenIsNew: config.adminToken === null && stored.admin_token === undefined,
  };
};

const readStored = (dataDir: string): Stored => {
  const content = readIfThere(dataDir);
  if (content === null) {
    return {};
  }
  const stored = parseObject(content);
  const faults =
    stored === null
      ? ["it must hold a JSON object"]
      : [
          secretFault(stored, "jwt_secret", settings.jwtSecret.parse),
          secretFault(stored, "admin_token", settings.adminToken.parse),
        ].filter((fault) => fault !== null);
  if (faults.length > 0) {
    throw new Error(
      `secrets.json in DATA_DIR (${dataDir}) cannot be used: ${faults.join("; ")}. Mend it, or move it away to have new secrets made: tokens handed out so far then end.`,
    );
  }
  return stored as Stored;
};

const readIfThere = (dataDir: string): string | null => {
  try {
    return readFileSync(`${dataDir}/secrets.json`, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return null;
    }
    throw new Error(
      `secrets.json in DATA_DIR (${dataDir}) cannot be read: ${reason(error)}. It must be a file this user may read and write.`,
      { cause: error },
    );
  }
};

const secretFault = (
  stored: Readonly<Record<string, unknown>>,
  key: keyof Stored,
  parse: (text: string) => unknown,
): string | null => {
  const value = stored[key];
  if (value === undefined) {
    return null;
  }
  if (typeof value !== "string") {
    return `${key} must be a text`;
  }
  try {
    parse(value);
    return null;
  } catch (error) {
    if (!(error instanceof Fault)) {
      throw error;
    }
    return `${key} ${error.message}`;
  }
};

/** Whole or not at all: a full disk must not leave half a file where secrets were. */
const writePrivately = (dataDir: string, content: string): void => {
  makeDataDir(dataDir);
  const path = `${dataDir}/secrets.json`;
  const fresh = `${path}.new`;
  try {
    writeFileSync(fresh, content, { mode: 0o600 });
    chmodSync(fresh, 0o600);
    renameSync(fresh, path);
  } catch (error) {
    removeQuietly(fresh);
    throw new Error(
      `secrets.json in DATA_DIR (${dataDir}) cannot be written: ${reason(error)}. Make room or mend the folder's owner or mode, or set JWT_SECRET and ADMIN_TOKEN yourself.`,
      { cause: error },
    );
  }
};

/** What went wrong before matters more. */
const removeQuietly = (path: string): void => {
  try {
    rmSync(path, { force: true });
  } catch {
    // It stays, in a folder that is the owner's only.
  }
};

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
