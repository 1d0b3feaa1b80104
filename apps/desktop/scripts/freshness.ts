import { readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { appFolder, builtApp, distFolder, repository, shellFolder } from "./paths.ts";

const stamp = `${distFolder}/built`;

/** What the app is made of. */
const sources = [
  `${appFolder}src`,
  `${appFolder}scripts`,
  `${appFolder}package.json`,
  `${shellFolder}/src`,
  `${shellFolder}/capabilities`,
  `${shellFolder}/icons`,
  `${shellFolder}/build.rs`,
  `${shellFolder}/Cargo.toml`,
  `${shellFolder}/Cargo.lock`,
  `${shellFolder}/tauri.conf.json`,
  `${shellFolder}/tauri.linux.conf.json`,
  `${repository}packages/client/src`,
  `${repository}packages/contract/src`,
  `${repository}package-lock.json`,
];

/** Remembers a build by when it began: what was changed since is not in it. */
export const noteBuilt = (begun: Date): void => {
  writeFileSync(stamp, "");
  utimesSync(stamp, begun, begun);
};

/** Whether the built app is there and no source is younger. */
export const isFresh = (): boolean => {
  const builtAt = changedAt(stamp);
  return changedAt(builtApp) > 0 && builtAt > 0 && sources.every((path) => newest(path) <= builtAt);
};

const newest = (path: string): number => {
  const own = statSync(path, { throwIfNoEntry: false });
  if (!own?.isDirectory()) {
    return own?.mtimeMs ?? 0;
  }
  return Math.max(own.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
};

const changedAt = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
