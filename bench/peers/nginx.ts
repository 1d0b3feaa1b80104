/** nginx as a plain reverse proxy, one worker, nothing buffered on the way back. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, type Lab } from "../lab.ts";
import { findProgram, notInstalled } from "./installed.ts";
import { CALLER_KEY, type Peer, type Unavailable, UPSTREAM_KEY } from "./peer.ts";

export async function startNginx(lab: Lab, upstreamPort: number): Promise<Peer | Unavailable> {
  const nginx = findProgram("nginx");
  if (nginx === null) {
    return notInstalled;
  }
  const port = await freePort();
  const folder = lab.folder("nginx");
  const config = join(folder, "nginx.conf");
  writeFileSync(config, configuration(folder, port, upstreamPort));
  const running = lab.launch({
    name: "nginx",
    command: nginx,
    args: ["-p", folder, "-e", join(folder, "error.log"), "-c", config],
    core: lab.placement.server,
  });
  await lab.listening(running, port);
  return {
    port,
    pid: running.pid,
    headers: { "x-api-key": CALLER_KEY },
    stop: () => lab.stop(running),
  };
}

/**
 * Without a master the one process is the worker, so nothing is left behind and no user is switched.
 * A body that fits `client_body_buffer_size` is not written to a file first: the default of 16 KiB
 * would cost it a file for every large request.
 */
const configuration = (folder: string, port: number, upstreamPort: number): string => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_max_body_size 32m;
  client_body_buffer_size 2m;
  keepalive_requests 100000000;
  upstream anthropic {
    server 127.0.0.1:${upstreamPort};
    keepalive 600;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=2048;
    location / {
      proxy_pass http://anthropic;
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_read_timeout 600s;
      proxy_set_header Connection "";
      proxy_set_header Authorization "";
      proxy_set_header x-api-key ${UPSTREAM_KEY};
    }
  }
}
`;
