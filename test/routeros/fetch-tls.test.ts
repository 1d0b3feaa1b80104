import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createRouter } from "./router.ts";

let server: Server;
let url = "";
let certificate = "";
const folder = mkdtempSync(join(tmpdir(), "routeros-tls-"));

before(async () => {
  const words =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=relay.example -addext subjectAltName=DNS:relay.example -keyout key.pem -out cert.pem";
  execFileSync("openssl", words.split(" "), { cwd: folder, stdio: "ignore" });
  certificate = readFileSync(join(folder, "cert.pem"), "utf8");
  const key = readFileSync(join(folder, "key.pem"));
  server = createServer({ cert: certificate, key }, (_, response) => response.end("over TLS"));
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  url = `https://relay.example:${(server.address() as AddressInfo).port}/`;
});

after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const fetching = (check: string, certificates: readonly string[], from = url) =>
  createRouter({ certificates, resolve: () => "127.0.0.1" }).run(
    `:return ([/tool/fetch url="${from}" ${check} output=user as-value]->"data")`,
  );

describe("/tool fetch over https", () => {
  test("checks no certificate unless told to", async () => {
    assert.equal(await fetching("", []), "over TLS");
    assert.equal(await fetching("check-certificate=no", []), "over TLS");
  });

  for (const check of ["check-certificate=yes", "check-certificate=yes-without-crl"]) {
    test(`with ${check} an authority outside of the store raises`, async () => {
      await assert.rejects(fetching(check, []), { name: "RouterError" });
      assert.equal(await fetching(check, [certificate]), "over TLS");
    });
  }

  test("a certificate for another name raises when it is checked", async () => {
    const other = url.replace("relay.example", "other.example");
    await assert.rejects(fetching("check-certificate=yes", [certificate], other), {
      name: "RouterError",
    });
  });
});
