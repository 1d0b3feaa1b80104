import { existsSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { CliCredential } from "./credential.ts";
import type { Places } from "./environment.ts";
import type { RunFolder } from "./run-folder.ts";

/** Where processes run: inside bubblewrap, which shows them next to nothing of the host, or on the host. */
export type Sandbox =
  | { readonly kind: "bwrap"; readonly bwrap: string }
  /** @property reason why not, for the operator */
  | { readonly kind: "none"; readonly reason: string };

/** What stays open without bubblewrap. Flags cannot shut off managed settings. */
export const openWithoutSandbox = (
  exists: (path: string) => boolean = existsSync,
): readonly string[] => {
  const managed = [
    "/etc/claude-code",
    "/Library/Application Support/ClaudeCode",
    "C:\\Program Files\\ClaudeCode",
  ].filter(exists);
  return [
    "Claude Code's process can read the files its user can read (its locks keep it from doing so)",
    managed.length > 0
      ? `managed settings in ${managed.join(", ")} apply: their hooks, environment and MCP servers run`
      : "managed settings (/etc/claude-code), if anyone installs them, would apply",
  ];
};

const insideBinary = "/opt/claude";

type Command = Readonly<{ file: string; arguments: readonly string[]; places: Places }>;

/**
 * The command that runs Claude Code in its place. Nothing secret is among the arguments: the environment
 * goes through bubblewrap untouched.
 */
export const inPlace = (
  sandbox: Sandbox,
  binary: string,
  cliArguments: readonly string[],
  folder: RunFolder,
  credential: CliCredential,
): Command => {
  if (sandbox.kind === "none") {
    return { file: binary, arguments: cliArguments, places: folder };
  }
  const login = loginBinds(folder, credential);
  const places: Places = {
    home: login.home,
    config: login.config,
    tmp: "/tmp",
    work: "/tmp/work",
  };
  return {
    file: sandbox.bwrap,
    arguments: [
      ...namespaces,
      ...readOnly(systemFiles()),
      ...["--ro-bind", binary, insideBinary],
      ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"],
      ...["--dir", "/tmp/work", "--dir", "/tmp/home", "--dir", "/tmp/config"],
      ...login.binds,
      ...["--chdir", "/tmp/work", "--", insideBinary],
      ...cliArguments,
    ],
    places,
  };
};

const namespaces = [
  ...["--unshare-all", "--share-net", "--die-with-parent"],
  ...["--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"],
];

/**
 * Only a stored login shows a directory of the host, and the process may write to it: tokens are renewed.
 * What lies deeper (transcripts, plugins, sessions) is hidden, and what is left there is left in memory.
 */
const loginBinds = ({ home }: RunFolder, credential: CliCredential) => {
  if (credential.kind !== "stored_login") {
    return { home: "/tmp/home", config: "/tmp/config", binds: [] };
  }
  if (credential.configDir !== null) {
    const binds = shallow(credential.configDir, "/tmp/config");
    return { home: "/tmp/home", config: "/tmp/config", binds };
  }
  const stored = shallow(join(credential.home, ".claude"), "/tmp/home/.claude");
  return { home: "/tmp/home", config: null, binds: ["--bind", home, "/tmp/home", ...stored] };
};

/** What Claude Code makes there by itself. */
const ownFolders = ["backups", "plugins", "sessions"];

/** A directory with its files but without what its directories hold. */
const shallow = (from: string, to: string): string[] => {
  const folders = readdirSync(from, { withFileTypes: true }).filter((each) => each.isDirectory());
  const hidden = new Set([...ownFolders, ...folders.map(({ name }) => name)]);
  return ["--bind", from, to, ...[...hidden].flatMap((name) => ["--tmpfs", join(to, name)])];
};

const readOnly = (paths: readonly string[]): string[] =>
  paths.flatMap((path) => ["--ro-bind", realpathSync(path), path]);

const triplet = { x64: "x86_64", arm64: "aarch64" } as Readonly<Record<string, string>>;

const libraryFolders = ["/lib", "/usr/lib"].flatMap((root) => [
  `${root}/${triplet[process.arch]}-linux-gnu`,
  `${root}64`,
  root,
]);

/** glibc, and what it loads to look up names; nothing that could be started. */
const libraries = [
  ...["libc.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0"],
  ...["libresolv.so.2", "libnss_dns.so.2", "libnss_files.so.2", "libgcc_s.so.1", "libstdc++.so.6"],
];

const loaders = [
  "/lib64/ld-linux-x86-64.so.2",
  "/lib/ld-linux-aarch64.so.1",
  "/lib/ld-musl-x86_64.so.1",
  "/lib/ld-musl-aarch64.so.1",
];

/** To find Anthropic's hosts and trust their certificates. */
const network = [
  ...["/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/hosts"],
  ...["/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/usr/share/ca-certificates"],
];

const systemFiles = (): readonly string[] => {
  const found = libraries.flatMap((name) => {
    const folder = libraryFolders.find((each) => existsSync(join(each, name)));
    return folder === undefined ? [] : [join(folder, name)];
  });
  return [...found, ...[...loaders, ...network].filter((path) => existsSync(path))];
};
