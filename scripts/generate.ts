/**
 * Writes what is generated from code: docs/configuration.md and .env.example from the settings,
 * openapi.json from the routes, clients/ts/claudeRelay.ts from packages/client. With --check it writes nothing and fails when a file has drifted.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { clientFile } from "./client-file.ts";
import { configurationDocs, environmentExample } from "./configuration-docs.ts";
import { openApi } from "./openapi.ts";

const files: Readonly<Record<string, () => string | Promise<string>>> = {
  "docs/configuration.md": configurationDocs,
  ".env.example": environmentExample,
  "openapi.json": openApi,
  "clients/ts/claudeRelay.ts": clientFile,
};

const check = process.argv.includes("--check");
let drifted = false;
for (const [path, generate] of Object.entries(files)) {
  const content = await generate();
  if (!check) {
    writeFileSync(path, content);
  } else if (readOrEmpty(path) !== content) {
    console.error(`${path} does not match the code: run npm run generate and commit the result.`);
    drifted = true;
  }
}
process.exit(drifted ? 1 : 0);

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
