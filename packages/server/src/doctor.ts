/** What a relay started here would use: its settings, its upstreams, and what is missing. */
import {
  callersUrl,
  completeWarnings,
  completeWords,
  devicesWords,
  routersWords,
  signInWords,
} from "./announce.ts";
import { chooseComplete } from "./compose-complete.ts";
import type { Sources } from "./config/sources.ts";
import { type Config, loadConfig } from "./config.ts";
import { type Finding, runningFindings } from "./doctor-running.ts";
import { urlHost } from "./pipeline/url-host.ts";
import { serverVersion } from "./version.ts";

type Diagnosis = Readonly<{
  /** For a terminal, each with its mark: `ok`, `note` or `FAULT`. */
  lines: readonly string[];
  /** False when the relay would not start. */
  healthy: boolean;
}>;

export const diagnose = async (sources: Sources): Promise<Diagnosis> => {
  const result = loadConfig(sources);
  const findings: Finding[] = [
    { mark: "ok", says: `claude-relay ${serverVersion} on Node ${process.version}` },
    ...(result.ok
      ? await findingsOf(result.config, sources)
      : result.faults.map((says) => ({ mark: "FAULT" as const, says }))),
  ];
  return {
    lines: findings.map(({ mark, says }) => `${mark.padEnd(6)}${says}`),
    healthy: findings.every(({ mark }) => mark !== "FAULT"),
  };
};

const findingsOf = async (config: Config, sources: Sources): Promise<Finding[]> => [
  { mark: "ok", says: `listens on ${config.host}, port ${config.port}; data in ${config.dataDir}` },
  ...config.warnings.map((says) => ({ mark: "note" as const, says })),
  config.upstream.kind === "anthropic"
    ? {
        mark: "ok",
        says: `/v1/messages is served by ${config.upstream.baseUrl} with ${keys(config.upstream.apiKeys.length)}`,
      }
    : { mark: "note", says: "/v1/messages is served by the simulator: set ANTHROPIC_API_KEY" },
  ...(await completeFindings(config, sources)),
  ...callersFindings(config),
  routersFinding(config),
  ...(await runningFindings(config)),
];

/** Who gets a token, and whether people sign in. */
const callersFindings = (config: Config): Finding[] => {
  const url = callersUrl(config, config.port);
  return [devicesWords(config, url), signInWords(config, url)].map((words) => ({
    mark: "ok",
    says: words.charAt(0).toLowerCase() + words.slice(1),
  }));
};

const keys = (count: number): string => (count === 1 ? "one API key" : `${count} API keys`);

const completeFindings = async (config: Config, sources: Sources): Promise<Finding[]> => {
  try {
    const choice = await chooseComplete(config, sources.environment);
    return [
      {
        mark: choice.kind === "api" || choice.kind === "cli" ? "ok" : "note",
        says: `/v1/complete is served by ${completeWords(choice)}`,
      },
      ...completeWarnings(choice).map((says) => ({ mark: "note" as const, says })),
    ];
  } catch (error) {
    return [{ mark: "FAULT", says: error instanceof Error ? error.message : String(error) }];
  }
};

/** Whether a start would serve routers, where, and which secrets let them in. */
const routersFinding = (config: Config): Finding => {
  const { cloudEnabled, cloudHost, cloudPort, cloudTlsCert } = config;
  if (!cloudEnabled) {
    const says = "these settings serve no routers: CLAUDE_RELAY_ENABLE_CLOUD is not true";
    return { mark: "ok", says };
  }
  const url = `${cloudTlsCert === null ? "http" : "https"}://${urlHost(cloudHost)}:${cloudPort}`;
  return { mark: "ok", says: `routers are served at ${routersWords(url, config)}` };
};
