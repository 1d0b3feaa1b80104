/**
 * `npm run desktop:build`: the installable package for this system: a .deb, a .dmg or a setup program.
 * `--no-bundle`: only the app, as `npm run desktop` starts it. `--parts`: only window and main process.
 */
import { parseArgs } from "node:util";
import { buildApp } from "./build-app.ts";
import { cargoTarget } from "./paths.ts";

const { values } = parseArgs({
  options: { "no-bundle": { type: "boolean" }, parts: { type: "boolean" } },
});
if (values.parts) {
  await buildApp("parts");
} else if (values["no-bundle"]) {
  await buildApp("app");
} else {
  await buildApp("package");
  console.log(`The package is below ${cargoTarget}/release/bundle.`);
}
