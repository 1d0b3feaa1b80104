/** The relay that runs already, if one does, and where it is not as the settings here say. */
import type { Config } from "./config.ts";
import { urlHost } from "./pipeline/url-host.ts";

export type Finding = Readonly<{ mark: "ok" | "note" | "FAULT"; says: string }>;

/** Whether one answers; a start would find the port taken. Asks this machine alone. */
export const runningFindings = async (config: Config): Promise<Finding[]> => {
  const url = `http://${urlHost(reachable(config.host))}:${config.port}`;
  const health = await jsonAt(`${url}/health`);
  if (health === null) {
    return [{ mark: "note", says: `no relay answers at ${url}` }];
  }
  if (typeof health["upstream"] !== "string") {
    return [{ mark: "note", says: `something answers at ${url} that is no claude-relay` }];
  }
  const differs = [
    upstreamDiffers(config, health),
    await signInDiffers(config, url),
    await routersDiffer(config),
  ].filter((says) => says !== null);
  return [
    { mark: "ok", says: `a relay runs at ${url} and is ${health["status"] ?? "not healthy"}` },
    ...differs.map((says) => ({
      mark: "note" as const,
      says: `the one that runs ${says}: it was started with other settings than these`,
    })),
  ];
};

const upstreamDiffers = (
  { upstream }: Config,
  { upstream: runs }: Readonly<Record<string, unknown>>,
): string | null =>
  typeof runs === "string" && runs !== upstream.kind
    ? `serves /v1/messages from ${runs}, not ${upstream.kind}`
    : null;

const signInDiffers = async (config: Config, url: string): Promise<string | null> => {
  const offered = await jsonAt(`${url}/.well-known/oauth-authorization-server`);
  if ((offered !== null) === (config.gatewaySignIn === "on")) {
    return null;
  }
  return offered === null
    ? "lets nobody sign in"
    : `lets people sign in, on the page ${offered["issuer"]}/device`;
};

/** Only where the settings would have it: a relay does not tell where else it listens. */
const routersDiffer = async (config: Config): Promise<string | null> => {
  const { cloudEnabled, cloudHost, cloudPort, cloudTlsCert } = config;
  if (cloudTlsCert !== null) {
    // Its certificate need not be one that this machine trusts.
    return null;
  }
  const url = `http://${urlHost(reachable(cloudHost))}:${cloudPort}`;
  const served = (await jsonAt(`${url}/health`))?.["service"] === "claude-relay";
  if (served === cloudEnabled) {
    return null;
  }
  return served ? `serves routers at ${url}` : `does not serve routers at ${url}`;
};

/** A wildcard is no address to ask. */
const reachable = (host: string): string =>
  host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;

const jsonAt = async (url: string): Promise<Readonly<Record<string, unknown>> | null> => {
  try {
    const answer = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(2000) });
    const body: unknown = answer.ok ? await answer.json() : null;
    return typeof body === "object" ? (body as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
};
