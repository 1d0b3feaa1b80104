import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { TLSSocket } from "node:tls";
import { Refusal } from "../pipeline/refusal.ts";
import { fetchFrom, startRaw } from "./test-setup.ts";

/** A certificate for site.example, signed by itself; null without openssl. */
const makeCertificate = (): { key: string; cert: string } | null => {
  const folder = mkdtempSync(join(tmpdir(), "relay-tls-"));
  const key = join(folder, "key.pem");
  const cert = join(folder, "cert.pem");
  try {
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        key,
        "-out",
        cert,
        "-subj",
        "/CN=site.example",
        "-addext",
        "subjectAltName=DNS:site.example",
      ],
      { stdio: "ignore" },
    );
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  } catch {
    return null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const certificate = makeCertificate();
const skip = certificate === null ? "openssl is not installed" : false;

type Seen = { requests: { host: string; servername: string | false; alpn: string | false }[] };

const startTls = async (t: TestContext): Promise<{ port: number; seen: Seen }> => {
  const seen: Seen = { requests: [] };
  const server = createServer(
    { ...certificate, ALPNProtocols: ["h2", "http/1.1"] },
    (request, response) => {
      const socket = request.socket as TLSSocket & { servername: string | false };
      seen.requests.push({
        host: request.headers.host ?? "",
        servername: socket.servername,
        alpn: socket.alpnProtocol ?? false,
      });
      response.end("secret");
    },
  );
  server.on("tlsClientError", () => {});
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, seen };
};

const unreachable = (error: unknown) =>
  error instanceof Refusal && error.code === "upstream_unreachable";

describe("https", { skip }, () => {
  it("is refused to a server that signed its certificate itself, also when the environment says not to check", async (t) => {
    const { port, seen } = await startTls(t);
    const before = process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    t.after(() => {
      delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
      Object.assign(
        process.env,
        before === undefined ? {} : { NODE_TLS_REJECT_UNAUTHORIZED: before },
      );
    });
    await assert.rejects(fetchFrom({ port }, { url: "https://site.example/" }), unreachable);
    assert.deepEqual(seen.requests, []);
  });

  it("keeps the host's name for SNI, Host and the certificate while the address is pinned", async (t) => {
    const { port, seen } = await startTls(t);
    const ports = { certificates: certificate?.cert ?? "" };
    const page = await fetchFrom({ port, ports }, { url: "https://site.example/" });
    assert.equal(page.html, "secret");
    assert.deepEqual(seen.requests, [
      { host: "site.example", servername: "site.example", alpn: "http/1.1" },
    ]);
  });

  it("is refused when the certificate is another host's, or the host is an address", async (t) => {
    const { port, seen } = await startTls(t);
    const ports = { certificates: certificate?.cert ?? "" };
    for (const url of ["https://other.example/", "https://127.0.0.1/"]) {
      await assert.rejects(fetchFrom({ port, ports }, { url }), unreachable);
    }
    assert.deepEqual(seen.requests, []);
  });

  it("ends in time when the handshake is never answered", async (t) => {
    const port = await startRaw(t, () => {});
    const ports = { connect: (host: string) => connect({ host, port }) };
    await assert.rejects(
      fetchFrom({ port, ports, limits: { connectMs: 50 } }, { url: "https://site.example/" }),
      (error) => error instanceof Refusal && error.code === "upstream_timeout",
    );
  });
});
