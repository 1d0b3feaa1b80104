/** What the log says once the relay is up: how it is set up, and what an operator should know of that. */
import type { CompleteChoice } from "./compose-complete.ts";
import { opensUnsigned } from "./compose-routers.ts";
import type { Relay } from "./composed.ts";
import type { Config } from "./config.ts";
import type { Log } from "./pipeline/log.ts";
import { isLoopbackHost } from "./pipeline/loopback.ts";
import { urlHost } from "./pipeline/url-host.ts";
import { serverVersion } from "./version.ts";

type Options = Readonly<{ relay: Relay; config: Config; port: number; log: Log }>;

export const announce = ({ relay, config, port, log }: Options): void => {
  for (const warning of warningsOf(relay, config)) {
    log.warn({}, warning);
  }
  if (relay.routers !== null) {
    const url = relay.routers.url();
    log.info({ url }, `Routers are served at ${routersWords(url, config)}`);
  }
  log.info(
    {
      url: `http://${urlHost(config.host)}:${port}`,
      upstream: config.upstream.kind,
      complete: relay.completeChoice.kind,
      bootstrap: config.bootstrap,
      signIn: config.gatewaySignIn,
      version: serverVersion,
      node: process.version,
    },
    "claude-relay is up",
  );
  const url = callersUrl(config, port);
  log.info({}, devicesWords(config, url));
  if (config.gatewaySignIn === "on") {
    log.info({ url: `${url}/device` }, signInWords(config, url));
  }
  log.info({}, `/v1/complete is served by ${completeWords(relay.completeChoice)}`);
};

/** Where callers reach the relay. */
export const callersUrl = ({ proxyBaseUrl }: Config, port: number): string =>
  proxyBaseUrl ?? `http://localhost:${port}`;

/** Who becomes a device, and where. */
export const devicesWords = ({ bootstrap }: Config, url: string): string => {
  const where = `POST ${url}/bootstrap`;
  switch (bootstrap) {
    case "open":
      return `Any program on this machine gets a token at ${where} (BOOTSTRAP=open)`;
    case "code":
      return `Devices get a token at ${where} with an enrollment code (BOOTSTRAP=code): claude-relay codes add makes one`;
    case "approve":
      return `Devices ask for a token at ${where} and wait until an admin lets them in (BOOTSTRAP=approve): claude-relay devices`;
  }
};

/** Whether people can sign in from Claude Code, and where. */
export const signInWords = ({ gatewaySignIn }: Config, url: string): string =>
  gatewaySignIn === "on"
    ? `People sign in with Claude Code's /login at ${url}, on the page ${url}/device`
    : "People cannot sign in with Claude Code's /login: GATEWAY_SIGNIN is off";

const warningsOf = (relay: Relay, config: Config): string[] =>
  [
    ...config.warnings,
    relay.recovered > 0 &&
      `An earlier process died: its ${relay.recovered} open requests are in the ledger as estimated`,
    config.upstream.kind === "simulator" &&
      `SIMULATOR: no ANTHROPIC_API_KEY is set, so ${simulated(relay.completeChoice)} answered by the built-in simulator and not by Claude`,
    ...completeWarnings(relay.completeChoice),
    !isLoopbackHost(config.host) &&
      !config.proxyBaseUrl?.startsWith("https:") &&
      "PROXY_BASE_URL is not https: put a TLS proxy in front before anyone else uses this",
  ].filter((warning) => warning !== false);

/** Where routers connect, and what lets them in. The secret itself is never told. */
export const routersWords = (url: string, config: Config): string => {
  const { cloudTlsCert, cloudHost, handshakeSecret } = config;
  const how = cloudTlsCert === null ? "plain HTTP" : "TLS";
  const reach = isLoopbackHost(cloudHost) ? "this machine only" : "other machines too";
  const who =
    handshakeSecret !== null
      ? "with the shared secret or one of their own"
      : opensUnsigned(config)
        ? "with a secret of their own, or unsigned from this machine"
        : "with a secret of their own";
  return `${url} (${how}, ${reach}), ${who}`;
};

const simulated = ({ kind }: CompleteChoice): string =>
  kind === "simulator" ? "/v1/messages and /v1/complete are" : "/v1/messages is";

/** How `/v1/complete` is served, for people. */
export const completeWords = (choice: CompleteChoice): string => {
  switch (choice.kind) {
    case "api":
      return `the Anthropic API (${choice.why})`;
    case "simulator":
      return `the simulator (${choice.why})`;
    case "closed":
      return `nothing and answered 503 (${choice.why})`;
    case "cli": {
      const { probe, credential } = choice.cli;
      const place = probe.sandbox.kind === "bwrap" ? "inside bubblewrap" : "without a sandbox";
      return `Claude Code ${probe.version} with ${credentialWords[credential.kind]}, ${place} (${choice.why})`;
    }
  }
};

const credentialWords = {
  api_key: "an API key",
  oauth_token: "CLAUDE_CODE_OAUTH_TOKEN",
  stored_login: "its stored login",
} as const;

/** What an operator who serves apps through Claude Code should know. */
export const completeWarnings = (choice: CompleteChoice): string[] => {
  if (choice.kind === "closed") {
    const remedy = "set ANTHROPIC_API_KEY, or COMPLETE_UPSTREAM=simulator for canned answers";
    return [`${choice.reason} Put that right and start again; or ${remedy}`];
  }
  if (choice.kind !== "cli") {
    return [];
  }
  const { probe, credential } = choice.cli;
  return [
    ...(credential.kind === "api_key" ? [] : [terms]),
    ...(probe.versionStanding === "untested"
      ? [
          `Claude Code ${probe.version} is newer than what was tested; its locks are checked at every start`,
        ]
      : []),
    ...probe.leavesOpen.map((open) => `Claude Code runs outside a sandbox: ${open}`),
  ];
};

const terms =
  "Know your plan's terms: consumer subscriptions and Claude Code are for individual, interactive use. " +
  "Serving a product, or other people's traffic, from a personal subscription may violate them and cost " +
  "the account. For that, use the Anthropic API.";
