import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Writes a file so that after a crash it is the old one or the new one, whole: mode 0600.
 * @param temporary a free name in the same folder
 * @throws the system's error; then the old file is as it was
 */
export const writeAtomically = async (
  path: string,
  temporary: string,
  bytes: Uint8Array,
): Promise<void> => {
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(path));
};

/** Makes new names in a folder last. */
export const syncFolder = async (folder: string): Promise<void> => {
  if (process.platform === "win32") {
    // Windows opens no folders.
    return;
  }
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
