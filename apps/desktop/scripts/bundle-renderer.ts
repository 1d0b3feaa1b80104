import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { build } from "esbuild";
import { appFolder, distFolder } from "./paths.ts";

const source = `${appFolder}src/renderer`;
const output = `${distFolder}/renderer`;

/** The window's page, script and style into dist/renderer: all that the shell packs into itself. */
export const bundleRenderer = async (): Promise<void> => {
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  await build({
    entryPoints: [`${source}/window.tsx`, `${source}/style.css`],
    outdir: output,
    bundle: true,
    format: "esm",
    platform: "browser",
    // The oldest engines the packages allow: WebKitGTK and Safari of 2023, any WebView2.
    target: ["safari16.4", "chrome114"],
    jsx: "automatic",
    jsxImportSource: "preact",
    minify: true,
    legalComments: "none",
    logLevel: "warning",
  });
  copyFileSync(`${source}/index.html`, `${output}/index.html`);
};
