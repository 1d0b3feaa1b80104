/** The renderer's entry for tests: its bridge ends in the test, by way of the browser's driver. */
import { lineBridge } from "../../src/bridge/line-bridge.ts";
import type { ToWindow } from "../../src/bridge/wire.ts";
import { start } from "../../src/renderer/main.tsx";

declare global {
  interface Window {
    testCall(id: number, method: string, params: unknown): Promise<void>;
    testHear(lines: readonly ToWindow[]): void;
  }
}

const { bridge, take } = lineBridge({
  firstId: Date.now() * 1000,
  send: (id, method, params) => window.testCall(id, method, params),
});
window.testHear = (lines) => {
  for (const line of lines) {
    take(line);
  }
};

const root = document.getElementById("root");
if (root !== null) {
  start(bridge, root);
}
