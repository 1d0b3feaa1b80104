/** What a browser finds at the relay's own address: enrollment links lead here (`https://relay/#code=…`). */
import { createHash } from "node:crypto";
import type { FastifyInstance } from "fastify";

const style =
  ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}h1{font-size:1.4rem}code{font-family:ui-monospace,monospace}";

const styleHash = createHash("sha256").update(style).digest("base64");

/** Without a script: the code stays behind the # in the browser, and reaches neither this page nor the relay. */
const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>claude-relay</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>This is a claude-relay</h1>
<p>It lets programs talk to Claude. There is nothing to do in the browser.</p>
<p><strong>Were you given a link to this page?</strong> It lets one of your machines in. Copy the whole address, to its end, and</p>
<ul>
<li>paste it into the desktop app, as the relay's address, or</li>
<li>run <code>claude-relay connect "&lt;the link&gt;"</code>, for Claude Code and the SDKs.</li>
</ul>
<p>Whoever gave you the link can say where to get them. Keep the link to yourself: its code works for whoever has it.</p>
</main>
</body>
</html>
`;

const headers: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
  vary: "accept",
};

/** A page for people; programs are told what is offered, as on every path that is not there. */
export const frontPageDoor = (app: FastifyInstance): void => {
  app.get("/", { exposeHeadRoute: false, schema: { hide: true } }, (request, reply) =>
    request.headers.accept?.includes("text/html")
      ? reply.headers(headers).send(page)
      : reply.callNotFound(),
  );
};
