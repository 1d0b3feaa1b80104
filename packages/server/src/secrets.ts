import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Config } from "./config.ts";

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
 */
export const loadSecrets = (config: Config): Secrets => {
  if (config.jwtSecret !== null && config.adminToken !== null) {
    return { jwtSecret: config.jwtSecret, adminToken: config.adminToken, adminTokenIsNew: false };
  }
  if (!config.mayGenerateSecrets) {
    throw new Error("JWT_SECRET and ADMIN_TOKEN are required here");
  }
  const path = `${config.dataDir}/secrets.json`;
  const stored = readStored(path);
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
    writePrivately(config.dataDir, path, JSON.stringify(next, null, 2));
  }
  return {
    jwtSecret,
    adminToken,
    adminTokenIsNew: config.adminToken === null && stored.admin_token === undefined,
  };
};

const readStored = (path: string): Stored => {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Stored;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return {};
    }
    // The parser's message would quote the secrets.
    const why = error instanceof SyntaxError ? "it is not valid JSON" : String(error);
    throw new Error(`${path} cannot be read: mend or delete it (${why})`);
  }
};

const writePrivately = (directory: string, path: string, content: string): void => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(path, `${content}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
};
