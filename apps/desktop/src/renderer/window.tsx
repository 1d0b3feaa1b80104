/** The window's entry: joins the renderer to the shell it runs in. */
import { tauriBridge } from "../preload/tauri-bridge.ts";
import { start } from "./main.tsx";

const root = document.getElementById("root");
if (root !== null) {
  start(tauriBridge(), root);
}
