/**
 * What building the app needs beside npm: Rust, a linker, and on Linux the headers of WebKitGTK.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Runs a program; whether it is there and says yes. */
export type Probe = (program: string, ...options: readonly string[]) => boolean;

export type Missing = Readonly<{ what: string; remedy: string }>;

export const probe: Probe = (program, ...options) =>
  spawnSync(program, options, { stdio: "ignore" }).status === 0;

/** The package managers of Linux that we know a line for. */
const linuxPackages: readonly Readonly<{ manager: string; install: string }>[] = [
  {
    manager: "/usr/bin/apt-get",
    install: "sudo apt-get install libwebkit2gtk-4.1-dev build-essential pkg-config",
  },
  {
    manager: "/usr/bin/dnf",
    install: "sudo dnf install webkit2gtk4.1-devel gcc pkgconf-pkg-config binutils",
  },
  { manager: "/usr/bin/pacman", install: "sudo pacman -S webkit2gtk-4.1 base-devel" },
];

/** What is missing on this system, each with the line that installs it; empty: the app can be built. */
export const missingTools = (
  platform: string = process.platform,
  has: Probe = probe,
  exists: (path: string) => boolean = existsSync,
  nodeVersion: string = process.versions.node,
): readonly Missing[] => [
  ...(Number.parseInt(nodeVersion, 10) >= 26 ? [] : [{ what: "Node 26", remedy: nodeRemedy }]),
  ...(has("cargo", "--version") ? [] : [{ what: "Rust (cargo)", remedy: rustRemedy(platform) }]),
  ...missingLibraries(platform, has, exists),
];

/** The whole message for the console. */
export const describeMissing = (missing: readonly Missing[]): string =>
  [
    "The desktop app cannot be built here yet. Missing:",
    ...missing.map(({ what, remedy }) => `  ${what}\n    ${remedy}`),
    "The relay itself needs none of this: npm start.",
  ].join("\n");

const missingLibraries = (
  platform: string,
  has: Probe,
  exists: (path: string) => boolean,
): readonly Missing[] => {
  switch (platform) {
    case "darwin":
      return has("xcode-select", "-p")
        ? []
        : [{ what: "Apple's command line tools", remedy: "xcode-select --install" }];
    case "win32":
      // cargo's own message names the C++ build tools; WebView2 is part of Windows 10 and 11.
      return [];
    default:
      return has("pkg-config", "--exists", "webkit2gtk-4.1") && has("cc", "--version")
        ? []
        : [
            {
              what: "WebKitGTK 4.1 with its headers, and a C compiler",
              remedy: linuxRemedy(exists),
            },
          ];
  }
};

/** The app carries the Node that builds it. */
const nodeRemedy = "npm ci in the repository brings it along; then start this with npm run";

const rustRemedy = (platform: string): string =>
  platform === "win32"
    ? "winget install Rustlang.Rustup   (and the C++ build tools it asks for; or https://rustup.rs)"
    : "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh   (then open a new terminal)";

const linuxRemedy = (exists: (path: string) => boolean): string =>
  linuxPackages.find(({ manager }) => exists(manager))?.install ??
  "your system's packages of webkit2gtk-4.1 (development files), pkg-config and a C compiler";
