/**
 * Where there is no keychain: the sign-in in a file that only its owner can read, as SSH keeps its keys. It is
 * not encrypted: a key beside it would only look as if it were.
 */
import { createHash } from "node:crypto";
import { lstatSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { SecretStore } from "@claude-relay/client/device";
import { Fault } from "./fault.ts";
import { damaged, readState, writeState } from "./state-file.ts";

/** The file of the sign-in at a relay. */
export const signInPath = (folder: string, url: string): string =>
  join(folder, `sign-in-${createHash("sha256").update(url).digest("hex").slice(0, 16)}.json`);

/**
 * The sign-in at a relay in its file, as a session's store.
 * @throws Fault when the file is damaged, or open to others: then it may be known to them
 */
export const fileStore = (folder: string, url: string): SecretStore => {
  const path = signInPath(folder, url);
  // Looked at now: a session would go on without it.
  read(path);
  return {
    kind: "file",
    get: async (name) => read(path)[name] ?? null,
    set: async (name, value) => writeState(path, { ...read(path), [name]: value }),
    delete: async (name) => {
      const { [name]: _, ...others } = read(path);
      if (Object.keys(others).length === 0) {
        rmSync(path, { force: true });
      } else {
        writeState(path, others);
      }
    },
  };
};

const read = (path: string): Readonly<Record<string, string>> => {
  refuseOpen(path);
  const entries: Record<string, string> = {};
  for (const [name, value] of Object.entries(readState(path))) {
    if (typeof value !== "string") {
      throw damaged(path);
    }
    entries[name] = value;
  }
  return entries;
};

const refuseOpen = (path: string): void => {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || process.platform === "win32") {
    return;
  }
  if ((found.mode & 0o077) !== 0 && !found.isSymbolicLink()) {
    throw new Fault(
      `${path} can be read by others, so its sign-in may be known to them. Have your relay's operator revoke this device, delete the file, and connect again.`,
    );
  }
};
