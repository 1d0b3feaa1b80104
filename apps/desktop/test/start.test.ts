/** What `npm run desktop` does before anything is built. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { tempFolder } from "../../../test/harness/temp-folder.ts";
import { appFolder } from "../scripts/paths.ts";
import { describeMissing, missingTools } from "../scripts/prerequisites.ts";
import { readSettings } from "../scripts/settings.ts";

const nothing = (): boolean => false;
const everything = (): boolean => true;

const whatIsMissing = (platform: string, manager?: string): string =>
  describeMissing(missingTools(platform, nothing, (path) => path === manager));

describe("a machine that cannot build the desktop app", () => {
  it("is told what to install, in the words of its own package manager", () => {
    const debian = whatIsMissing("linux", "/usr/bin/apt-get");
    assert.match(debian, /sudo apt-get install libwebkit2gtk-4\.1-dev build-essential pkg-config/);
    assert.match(debian, /sh\.rustup\.rs/);
    assert.match(whatIsMissing("linux", "/usr/bin/dnf"), /sudo dnf install webkit2gtk4\.1-devel/);
    assert.match(whatIsMissing("linux", "/usr/bin/pacman"), /sudo pacman -S webkit2gtk-4\.1/);
    assert.match(whatIsMissing("linux"), /your system's packages of webkit2gtk-4\.1/);
    assert.match(whatIsMissing("darwin"), /xcode-select --install/);
    assert.match(whatIsMissing("win32"), /winget install Rustlang\.Rustup/);
    assert.match(debian, /The relay itself needs none of this: npm start\./);
  });

  it("is told nothing when all is there", () => {
    for (const platform of ["linux", "darwin", "win32"]) {
      assert.deepEqual(missingTools(platform, everything, nothing), []);
    }
  });

  it("is told when its Node is too old to be carried along", () => {
    const [missing] = missingTools("linux", everything, nothing, "24.21.0");
    assert.equal(missing?.what, "Node 26");
  });

  it("stops with exit 1 and builds nothing", (t) => {
    const empty = tempFolder(t);
    for (const script of ["start.ts", "build.ts"]) {
      // A built app would be started at once.
      const { status, stderr, stdout } = spawnSync(
        process.execPath,
        [`${appFolder}scripts/${script}`],
        { env: { PATH: empty, CARGO_TARGET_DIR: empty }, encoding: "utf8" },
      );
      assert.equal(status, 1);
      assert.match(stderr, /cannot be built here yet\. Missing:\n {2}Rust \(cargo\)/);
      assert.equal(stdout, "");
    }
  });
});

describe("the app's settings", () => {
  it("are the environment's, then those of the first .env that has them", (t) => {
    const folder = tempFolder(t);
    const [near, far] = [join(folder, "near.env"), join(folder, "far.env")];
    writeFileSync(near, "ENABLE_PROXY=true\nPROXY_BOOTSTRAP_URL=http://near:1/bootstrap\n");
    writeFileSync(
      far,
      "PROXY_BOOTSTRAP_URL=http://far:1/bootstrap\nCLAUDE_RELAY_URL=http://far:1\n",
    );
    const environment = { ENABLE_PROXY: "false", PROXY_BOOTSTRAP_URL: " " };
    assert.deepEqual(readSettings(environment, [near, join(folder, "absent"), far]), {
      ENABLE_PROXY: "false",
      PROXY_BOOTSTRAP_URL: "http://near:1/bootstrap",
      CLAUDE_RELAY_URL: "http://far:1",
    });
  });

  it("are all that leaves a .env: the relay's secrets beside them stay there", (t) => {
    const path = join(tempFolder(t), ".env");
    writeFileSync(path, "JWT_SECRET=secret\nANTHROPIC_API_KEY=key\nADMIN_TOKEN=token\nPORT=3001\n");
    assert.deepEqual(readSettings({}, [path]), {});
  });
});
