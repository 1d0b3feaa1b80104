/**
 * The main process as one program: the TypeScript in one file, put into a copy of the Node that runs this.
 * See https://nodejs.org/api/single-executable-applications.html.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { appFolder, distFolder, sidecarPath } from "./paths.ts";
import { probe } from "./prerequisites.ts";

const output = `${distFolder}/main`;

/** @returns where the program is */
export const bundleMain = async (targetTriple: string): Promise<string> => {
  mkdirSync(output, { recursive: true });
  mkdirSync(`${appFolder}src-tauri/binaries`, { recursive: true });
  const script = `${output}/main.mjs`;
  await build({
    entryPoints: [`${appFolder}src/main/index.ts`],
    outfile: script,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node26",
    minify: true,
    legalComments: "none",
    // The shell's keychain is asked instead: no native file beside the program.
    external: ["@napi-rs/keyring"],
    logLevel: "warning",
  });
  const program = sidecarPath(targetTriple);
  putIntoNode(script, program);
  return program;
};

const putIntoNode = (script: string, program: string): void => {
  const node = nodeToCarry();
  const config = `${output}/single-executable.json`;
  const settings = {
    main: script,
    mainFormat: "module",
    executable: node,
    output: program,
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
    // NODE_OPTIONS of a developer's shell is not for the app.
    execArgvExtension: "none",
  };
  writeFileSync(config, JSON.stringify(settings));
  execFileSync(process.execPath, ["--build-sea", config], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  chmodSync(program, 0o755);
  if (process.platform === "darwin") {
    // Its own signature broke with the first byte put in, and an unsigned program is killed.
    execFileSync("codesign", ["--force", "--sign", "-", program]);
  }
};

/** Without its symbols a quarter smaller. Only before the script is put in: stripping later breaks the program. */
const nodeToCarry = (): string => {
  const copy = `${output}/node`;
  copyFileSync(process.execPath, copy);
  chmodSync(copy, 0o755);
  if (process.platform === "linux" && probe("strip", "--version")) {
    execFileSync("strip", [copy]);
  }
  return copy;
};
