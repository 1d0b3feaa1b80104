/** A TLS proxy in front of a relay, as operators put one there, with a certificate of its own making. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

export type TlsFront = Readonly<{
  /** As people reach it; to be known to the relay before it starts. */
  url: string;
  /** From here on it passes everything to this port. */
  pointAt(port: number): void;
  close(): void;
}>;

/** @param folder where key and certificate are left */
export const startTlsFront = async (folder: string): Promise<TlsFront> => {
  const [key, cert] = [join(folder, "front.key"), join(folder, "front.crt")];
  const kind = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  execFileSync("openssl", [...kind, ...names, "-keyout", key, "-out", cert], { stdio: "ignore" });
  let target = 0;
  const server = createServer(
    { key: readFileSync(key), cert: readFileSync(cert) },
    (incoming, outgoing) => {
      const { method, url: path, headers } = incoming;
      const passed = request({ host: "127.0.0.1", port: target, method, path, headers });
      passed.on("response", (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(outgoing);
      });
      passed.on("error", () => outgoing.destroy());
      incoming.pipe(passed);
    },
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    pointAt: (port) => {
      target = port;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};
