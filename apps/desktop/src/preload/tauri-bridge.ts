import { Channel, invoke } from "@tauri-apps/api/core";
import { lineBridge } from "../bridge/line-bridge.ts";
import type { Bridge } from "../bridge/protocol.ts";
import type { ToWindow } from "../bridge/wire.ts";

/** The shell's two commands as a `Bridge`: all that the window has of it. */
export const tauriBridge = (): Bridge => {
  const { bridge, take } = lineBridge({
    firstId: Date.now() * 1000,
    send: async (id, method, params) => {
      // No call before lines can come: what a call sets off must not be missed.
      await listening;
      await invoke("relay_call", { id, method, params });
    },
  });
  const listening = invoke("relay_lines", { channel: new Channel<ToWindow>(take) });
  return bridge;
};
