import { fileURLToPath } from "node:url";

/** apps/desktop, absolute, ending in a slash. */
export const appFolder = fileURLToPath(new URL("../", import.meta.url));
/** The repository, absolute, ending in a slash. */
export const repository = fileURLToPath(new URL("../../../", import.meta.url));
export const distFolder = `${appFolder}dist`;
export const shellFolder = `${appFolder}src-tauri`;
/** Where cargo puts what it builds. */
export const cargoTarget = process.env["CARGO_TARGET_DIR"] || `${shellFolder}/target`;

const executable = process.platform === "win32" ? ".exe" : "";
/** The main process's program, as the shell looks for it beside itself. */
export const mainProgram = "claude-relay-desktop-main";
/** The app, built and not installed. */
export const builtApp = `${cargoTarget}/release/claude-relay-desktop${executable}`;

/** Where Tauri looks for the main process of a target. */
export const sidecarPath = (targetTriple: string): string =>
  `${shellFolder}/binaries/${mainProgram}-${targetTriple}${executable}`;
