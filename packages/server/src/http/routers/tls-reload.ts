import { unwatchFile, watchFile } from "node:fs";
import type { Server as TlsServer } from "node:tls";
import type { Log } from "../../pipeline/log.ts";

type Options = Readonly<{
  server: Pick<TlsServer, "setSecureContext">;
  /** The certificate's and the key's files. */
  paths: readonly string[];
  /** Reads both. @throws Error whose message tells no secret, when they cannot be used */
  read: () => Readonly<{ cert: Buffer; key: Buffer }>;
  log: Log;
}>;

/** How often the files are looked at. */
const everyMs = 2000;

/**
 * Takes a renewed certificate into use without a restart; connections that stand keep theirs. Files that cannot be
 * used are logged, and the old pair stays: often only one of the two has been written yet.
 * @returns what ends the watch
 */
export const reloadTls = ({ server, paths, read, log }: Options): (() => void) => {
  const reload = (): void => {
    try {
      server.setSecureContext(read());
      log.info({}, "The routers' listener has a new TLS certificate");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error({ reason }, "The new TLS certificate cannot be used: the old one stays");
    }
  };
  // By name and not by inode: renewal often replaces the file, or the link to it.
  for (const path of paths) {
    watchFile(path, { interval: everyMs, persistent: false }, reload);
  }
  return () => {
    for (const path of paths) {
      unwatchFile(path, reload);
    }
  };
};
