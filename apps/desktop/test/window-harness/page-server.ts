/** The bundled renderer, served as the shell serves it: with its Content-Security-Policy. */
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const csp =
  "default-src 'self'; style-src 'self'; script-src 'self'; connect-src 'none'; img-src 'self' data:; " +
  "object-src 'none'; base-uri 'none'; form-action 'none'; frame-src 'none'";

const types: Readonly<Record<string, string>> = {
  "/index.html": "text/html; charset=utf-8",
  "/window.js": "text/javascript; charset=utf-8",
  "/style.css": "text/css; charset=utf-8",
};

export type PageServer = Readonly<{ url: string; close(): Promise<void> }>;

/** Bundles the renderer into a fresh folder and serves it on loopback. */
export const servePage = async (): Promise<PageServer> => {
  const folder = await mkdtemp(join(tmpdir(), "relay-window-"));
  const renderer = fileURLToPath(new URL("../../src/renderer/", import.meta.url));
  await build({
    entryPoints: [fileURLToPath(new URL("entry.ts", import.meta.url))],
    outfile: join(folder, "window.js"),
    bundle: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    minify: true,
    logLevel: "silent",
  });
  for (const name of ["index.html", "style.css"]) {
    await copyFile(join(renderer, name), join(folder, name));
  }
  const server = createServer((request, response) => {
    const path = request.url === "/" ? "/index.html" : (request.url ?? "");
    const type = types[path];
    if (type === undefined) {
      // Browsers ask for an icon unasked.
      response.writeHead(path === "/favicon.ico" ? 204 : 404).end();
      return;
    }
    void readFile(join(folder, path)).then((bytes) => {
      response.writeHead(200, { "content-type": type, "content-security-policy": csp }).end(bytes);
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await rm(folder, { recursive: true, force: true });
    },
  };
};
