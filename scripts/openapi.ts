import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compose } from "../packages/server/src/compose.ts";
import { loadConfig } from "../packages/server/src/config.ts";
import { listPrices } from "../packages/server/src/pipeline/price/price-table.ts";
import { systemClock } from "../packages/server/src/system-clock.ts";
import { serverVersion } from "../packages/server/src/version.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {}, isLevelEnabled: () => false };

/** openapi.json, from the routes of the server as it is really put together. */
export const openApi = async (): Promise<string> => {
  const dataDir = mkdtempSync(join(tmpdir(), "claude-relay-openapi-"));
  const result = loadConfig({ environment: { DATA_DIR: dataDir }, file: new Map(), faults: [] });
  if (!result.ok) {
    throw new Error(result.faults.join("\n"));
  }
  const relay = await compose({
    config: result.config,
    secrets: { jwtSecret: "x".repeat(32), adminToken: "y".repeat(32), adminTokenIsNew: false },
    prices: listPrices,
    clock: systemClock,
    log: silent,
    version: serverVersion,
    environment: {},
  });
  try {
    await relay.app.ready();
    return `${JSON.stringify(relay.app.swagger(), null, 2)}\n`;
  } finally {
    await relay.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
};
