// Loaded by bin/claude-relay before the first TypeScript file, whose reading would take half of the time of
// `claude-relay token`. The cache is in the checkout, where whoever can write could change the code itself; the
// system's folder for such caches is everybody's.
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/cli", import.meta.url)));
