import { render } from "preact";
import type { Bridge } from "../bridge/protocol.ts";
import { App } from "./shell/app.tsx";
import { refuseFileDrops } from "./shell/file-drops.ts";
import { createController } from "./state/controller.ts";
import { browserFrames, createFramePace } from "./state/frame-pace.ts";
import { createStore } from "./state/store.ts";

/** Draws the window into `root`. All it knows and does goes through `bridge`. */
export const start = (bridge: Bridge, root: HTMLElement): void => {
  refuseFileDrops(document);
  const store = createStore(createFramePace(browserFrames()));
  const controller = createController({ bridge, store, now: Date.now, wait });
  render(<App store={store} controller={controller} />, root);
  void controller.start();
};

const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
