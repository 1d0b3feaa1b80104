/** A relay of the test's own: answers as told, and keeps what it was asked. And the command line, run against it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

export type Asked = Readonly<{
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}>;

type Told = Readonly<{ status: number; headers?: Record<string, string>; body: unknown }>;

/** @param tell what to answer; a string body goes as it is, anything else as JSON */
export const startTestRelay = async (
  t: TestContext,
  tell: (asked: Asked) => Told,
): Promise<Readonly<{ url: string; asked: readonly Asked[] }>> => {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) {
      body += chunk;
    }
    const { method = "", url: path = "", headers } = request;
    asked.push({ method, path, headers, body });
    const told = tell({ method, path, headers, body });
    response.writeHead(told.status, told.headers);
    response.end(typeof told.body === "string" ? told.body : JSON.stringify(told.body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
};

export type Ran = Readonly<{ code: number | null; stdout: string; stderr: string }>;

const main = fileURLToPath(new URL("main.ts", import.meta.url));

/** Runs `claude-relay` with that environment and no other, in a folder without settings. */
export const runCli = async (
  args: readonly string[],
  env: Record<string, string>,
): Promise<Ran> => {
  const child = spawn(process.execPath, [main, ...args], { cwd: "/", env });
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (chunk) => {
      said[stream] += chunk;
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...said };
};
