import { execFile } from "node:child_process";
import { accessSync, constants, mkdirSync, realpathSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Environment } from "../../pipeline/environment.ts";
import { parseObject } from "../../pipeline/json/parse-object.ts";
import { standingOf, type VersionStanding } from "./cli-version.ts";
import type { CliCredential } from "./credential.ts";
import { inPlace, openWithoutSandbox, type Sandbox } from "./sandbox.ts";

type ProbeOptions = Readonly<{
  /** `CLAUDE_BINARY`; null searches `PATH`. */
  binary: string | null;
  /** The first of `ANTHROPIC_API_KEY`; null without any. */
  apiKey: string | null;
  /** The operator's own environment: `PATH`, `HOME`, `CLAUDE_CONFIG_DIR`, `CLAUDE_CODE_OAUTH_TOKEN`. */
  env: Environment;
  /** Where the probe makes its throw-away directory. */
  tempRoot: string;
}>;

export type ClaudeCliProbe =
  | {
      readonly found: false;
      /** None was named, and none is on PATH: nobody meant there to be one. */
      readonly isNoneMeant: boolean;
      readonly reason: string;
    }
  | {
      readonly found: true;
      readonly binary: string;
      readonly version: string;
      readonly versionStanding: VersionStanding;
      /** What calls should use: the OAuth token, then the stored login, then the API key; null without any. */
      readonly credential: CliCredential | null;
      readonly sandbox: Sandbox;
      /** What this host leaves open, in words for the operator. Empty inside bubblewrap. */
      readonly leavesOpen: readonly string[];
    };

const probeTimeoutMs = 15_000;

/**
 * Looks for Claude Code on this host: the program, its version, its login, and whether bubblewrap can hold it.
 * Sends nothing anywhere.
 */
export const probeClaudeCli = async (options: ProbeOptions): Promise<ClaudeCliProbe> => {
  const binary = findProgram(options.binary ?? "claude", options.env);
  if (binary === null) {
    const where = options.binary === null ? "on PATH" : `at ${options.binary}`;
    return {
      found: false,
      isNoneMeant: options.binary === null,
      reason: `no Claude Code ${where}: install it, or set CLAUDE_BINARY`,
    };
  }
  const folder = await mkdtemp(join(options.tempRoot, "claude-relay-probe-"));
  try {
    return await probeFound(binary, options, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const probeFound = async (
  binary: string,
  { env, apiKey }: ProbeOptions,
  folder: string,
): Promise<ClaudeCliProbe> => {
  const plain = { PATH: "/nonexistent", HOME: folder, LANG: "C.UTF-8" };
  const version = versionIn((await run(binary, ["--version"], plain, folder)).stdout);
  if (version === null) {
    const reason = `${binary} is no native Claude Code: it does not tell its version`;
    return { found: false, isNoneMeant: false, reason };
  }
  const loggedIn = await isLoggedIn(binary, env, folder);
  const sandbox = await probeSandbox(binary, version, env, folder);
  return {
    found: true,
    binary,
    version,
    versionStanding: standingOf(version),
    credential: credentialOf(env, loggedIn, apiKey),
    sandbox,
    leavesOpen: sandbox.kind === "bwrap" ? [] : openWithoutSandbox(),
  };
};

const versionIn = (text: string): string | null =>
  /^(\d+\.\d+\.\d+) \(Claude Code\)/.exec(text)?.[1] ?? null;

/**
 * Whether there is a stored login, present and not necessarily valid: Claude Code tells without asking anybody.
 * Asked without the credentials of the environment, which would hide it.
 */
const isLoggedIn = async (
  binary: string,
  { HOME: home, CLAUDE_CONFIG_DIR: configDir }: Environment,
  folder: string,
): Promise<boolean> => {
  if (!home) {
    return false;
  }
  const env = {
    PATH: "/nonexistent",
    HOME: home,
    ...(configDir ? { CLAUDE_CONFIG_DIR: configDir } : {}),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    CLAUDE_CODE_TMPDIR: folder,
    DISABLE_AUTOUPDATER: "1",
  };
  const flags = ["--setting-sources", "", "auth", "status", "--json"];
  const told = parseObject((await run(binary, flags, env, folder)).stdout);
  return told?.["loggedIn"] === true;
};

const credentialOf = (
  env: Environment,
  loggedIn: boolean,
  apiKey: string | null,
): CliCredential | null => {
  const { CLAUDE_CODE_OAUTH_TOKEN: token, HOME: home } = env;
  if (token) {
    return { kind: "oauth_token", token };
  }
  if (loggedIn && home) {
    return { kind: "stored_login", home, configDir: env["CLAUDE_CONFIG_DIR"] || null };
  }
  return apiKey === null ? null : { kind: "api_key", key: apiKey };
};

/** Runs Claude Code inside bubblewrap once: present is not the same as working. */
const probeSandbox = async (
  binary: string,
  version: string,
  env: Environment,
  folder: string,
): Promise<Sandbox> => {
  const bwrap = findProgram("bwrap", env);
  if (bwrap === null) {
    const reason = "bubblewrap is not installed: apt-get install bubblewrap";
    return { kind: "none", reason };
  }
  const sandbox: Sandbox = { kind: "bwrap", bwrap };
  const places = { home: folder, config: folder, tmp: folder, work: folder, path: folder };
  const { file, arguments: flags } = inPlace(
    sandbox,
    binary,
    ["--version"],
    { ...places, remove: () => Promise.resolve() },
    { kind: "api_key", key: "" },
  );
  const inside = { PATH: "/nonexistent", HOME: "/tmp/home", CLAUDE_CONFIG_DIR: "/tmp/config" };
  const { stdout, stderr } = await run(file, flags, inside, folder);
  return versionIn(stdout) === version
    ? sandbox
    : { kind: "none", reason: `bubblewrap does not work here: ${lastLine(stderr)}` };
};

const lastLine = (text: string): string => text.trim().split("\n").at(-1)?.slice(0, 200) ?? "";

/** A program by path, or by name along `PATH`; symbolic links resolved. */
const findProgram = (name: string, { PATH: path = "" }: Environment): string | null => {
  const candidates = name.includes("/")
    ? [name]
    : path
        .split(delimiter)
        .filter((directory) => directory.startsWith("/"))
        .map((directory) => join(directory, name));
  for (const candidate of candidates) {
    try {
      accessSync(candidate, constants.X_OK);
      if (statSync(candidate).isFile()) {
        return realpathSync(candidate);
      }
    } catch {
      // Not this one.
    }
  }
  return null;
};

const run = (
  file: string,
  flags: readonly string[],
  env: Readonly<Record<string, string>>,
  folder: string,
): Promise<{ stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    const cwd = join(folder, "work");
    mkdirSync(cwd, { recursive: true });
    const options = { env, cwd, timeout: probeTimeoutMs, killSignal: "SIGKILL" as const };
    const child = execFile(file, flags, options, (error, stdout, stderr) =>
      resolve({ stdout, stderr: stderr || (error?.message ?? "") }),
    );
    child.stdin?.end();
  });
