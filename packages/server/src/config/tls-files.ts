import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { Fault } from "./setting.ts";

/** A certificate chain and its key, as PEM. */
export type TlsFiles = Readonly<{ cert: Buffer; key: Buffer }>;

/**
 * Reads both files and tries whether they are one pair.
 * @throws Fault naming the setting and the remedy; nothing of either file is quoted
 */
export const readTlsFiles = (certPath: string, keyPath: string): TlsFiles => {
  const files = { cert: read("CLOUD_TLS_CERT", certPath), key: read("CLOUD_TLS_KEY", keyPath) };
  try {
    createSecureContext({ cert: files.cert });
  } catch (error) {
    throw unusable("CLOUD_TLS_CERT", certPath, "no certificate chain in PEM", error);
  }
  try {
    createSecureContext(files);
  } catch (error) {
    throw unusable(
      "CLOUD_TLS_KEY",
      keyPath,
      "not that certificate's key, unencrypted, in PEM",
      error,
    );
  }
  return files;
};

const read = (name: string, path: string): Buffer => {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Fault(
      `${name} (${path}) cannot be read (${codeOf(error)}): name a file this user may read`,
    );
  }
};

const unusable = (name: string, path: string, what: string, error: unknown): Fault =>
  new Fault(`${name} (${path}) is ${what} (${codeOf(error)}): name the right file`);

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
