/** What the whole-app tests need, and what to do when it is not there. */
import { existsSync, globSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cargoTarget } from "../../scripts/paths.ts";

/** The program's Debian package. */
const programs = {
  Xvfb: "xvfb",
  WebKitWebDriver: "webkit2gtk-driver",
  "dbus-daemon": "dbus",
  "gnome-keyring-daemon": "gnome-keyring",
  "dpkg-deb": "dpkg",
  import: "imagemagick",
};

const isOnPath = (program: string): boolean =>
  (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));

/** The newest package that was built here. */
export const builtPackage = (): string | undefined =>
  globSync(`${cargoTarget}/release/bundle/deb/*.deb`)
    .map((path) => ({ path, at: statSync(path).mtimeMs }))
    .sort((one, other) => other.at - one.at)[0]?.path;

const whyNot = (): string | false => {
  if (process.platform !== "linux") {
    return "the whole app is driven on Linux only";
  }
  const absent = Object.entries(programs).filter(([program]) => !isOnPath(program));
  if (absent.length > 0) {
    return `sudo apt-get install ${absent.map(([, debianPackage]) => debianPackage).join(" ")}`;
  }
  return builtPackage() === undefined && "build it first: npm run desktop:build";
};

/** For a test's `skip`. */
export const desktopMissing = whyNot();
