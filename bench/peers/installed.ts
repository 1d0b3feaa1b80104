/** Finds programs that come from the system's packages. */

import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import type { Unavailable } from "./peer.ts";

/** Debian keeps servers in /usr/sbin, which is not on every user's PATH. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/usr/local/sbin"];

/** The program's full path, or null if it is not installed. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env["PATH"] ?? "").split(":"), ...SYSTEM_FOLDERS];
  const isProgram = (path: string): boolean => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

export const notInstalled: Unavailable = {
  unavailable: "not installed (apt-get install nginx haproxy)",
};
