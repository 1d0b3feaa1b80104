/** What serves `/v1/complete`: chosen by COMPLETE_UPSTREAM and what is found on this host, then opened. */
import { tmpdir } from "node:os";
import type { Config } from "./config.ts";
import type { StructuredOutput } from "./pipeline/complete/messages-body.ts";
import type { Environment } from "./pipeline/environment.ts";
import type { Log } from "./pipeline/log.ts";
import { resolveModel } from "./pipeline/model-alias.ts";
import type { Clock, Upstream } from "./pipeline/types.ts";
import { systemClock } from "./system-clock.ts";
import { createClaudeCli, defaultProcessLimits } from "./upstreams/claude-cli/claude-cli.ts";
import type { CliCredential } from "./upstreams/claude-cli/credential.ts";
import { type ClaudeCliProbe, probeClaudeCli } from "./upstreams/claude-cli/probe.ts";
import { rehearseClaudeCli } from "./upstreams/claude-cli/rehearsal.ts";
import { createClosedUpstream } from "./upstreams/closed.ts";
import { withTimeLimit } from "./upstreams/time-limit.ts";

export type { Environment } from "./pipeline/environment.ts";

type FoundCli = Extract<ClaudeCliProbe, { found: true }>;
type UsableCli = Readonly<{ probe: FoundCli; credential: CliCredential }>;

/** `why` says in words how it was chosen, for the log and the doctor. */
export type CompleteChoice =
  | { readonly kind: "api" | "simulator"; readonly why: string }
  /** Claude Code was to serve it and cannot; `reason` names the remedy, and callers get to see it. */
  | { readonly kind: "closed"; readonly why: string; readonly reason: string }
  | { readonly kind: "cli"; readonly why: string; readonly cli: UsableCli };

type Chosen = Pick<Config, "completeUpstream" | "upstream" | "claudeBinary">;

/**
 * Chooses what serves `/v1/complete`; looks for Claude Code only when the answer depends on it.
 * @throws Error naming what COMPLETE_UPSTREAM asks for and is not there, and the remedy
 */
export const chooseComplete = async (config: Chosen, env: Environment): Promise<CompleteChoice> => {
  const hasKey = config.upstream.kind === "anthropic";
  switch (config.completeUpstream) {
    case "api":
      if (!hasKey) {
        throw new Error("COMPLETE_UPSTREAM=api needs ANTHROPIC_API_KEY: set it, or choose cli.");
      }
      return { kind: "api", why: "COMPLETE_UPSTREAM=api" };
    case "simulator":
      if (hasKey) {
        throw new Error(
          "COMPLETE_UPSTREAM=simulator goes without ANTHROPIC_API_KEY only: unset one of them.",
        );
      }
      return { kind: "simulator", why: "COMPLETE_UPSTREAM=simulator" };
    case "cli": {
      const cli = await usable(await probe(config, env));
      if (typeof cli === "string") {
        throw new Error(`COMPLETE_UPSTREAM=cli: ${cli}.`);
      }
      return { kind: "cli", why: "COMPLETE_UPSTREAM=cli", cli };
    }
    case "auto":
      return hasKey ? { kind: "api", why: "ANTHROPIC_API_KEY is set" } : byLogin(config, env);
  }
};

/** A Claude Code that is there and cannot be used is not passed over: canned answers would pass for its own. */
const byLogin = async (config: Chosen, env: Environment): Promise<CompleteChoice> => {
  const found = await probe(config, env);
  const cli = await usable(found);
  if (typeof cli !== "string") {
    const why = "no ANTHROPIC_API_KEY is set, and Claude Code is logged in here";
    return { kind: "cli", why, cli };
  }
  const why = `no ANTHROPIC_API_KEY is set, and ${cli}`;
  return !found.found && found.isNoneMeant
    ? { kind: "simulator", why }
    : { kind: "closed", why, reason: `/v1/complete is closed: ${cli}.` };
};

const probe = (
  { claudeBinary: binary, upstream }: Chosen,
  env: Environment,
): Promise<ClaudeCliProbe> => {
  const apiKey = upstream.kind === "anthropic" ? (upstream.apiKeys[0] ?? null) : null;
  return probeClaudeCli({ binary, apiKey, env, tempRoot: tmpdir() });
};

/** What a call needs of Claude Code, or what is missing. */
const usable = async (found: ClaudeCliProbe): Promise<UsableCli | string> => {
  if (!found.found) {
    return found.reason;
  }
  if (found.versionStanding === "refused") {
    return `Claude Code ${found.version} is too old to be locked safely: update it`;
  }
  if (found.credential === null) {
    return "Claude Code is not logged in: run claude and log in, or set CLAUDE_CODE_OAUTH_TOKEN";
  }
  const cli = { probe: found, credential: found.credential };
  const fault = found.versionStanding === "untested" ? await rehearse(cli) : null;
  return fault === null
    ? cli
    : `Claude Code ${found.version} is not usable: it is newer than what was tested, and in a rehearsal its locks did not hold (${fault}); install an older one`;
};

const rehearse = ({ probe: { binary, version, sandbox }, credential }: UsableCli) =>
  rehearseClaudeCli({
    ...{ binary, version, sandbox, credential },
    tempRoot: tmpdir(),
    clock: systemClock,
  });

export type Completing = Readonly<{
  upstream: Upstream;
  structured: StructuredOutput;
  /** Whether the upstream's errors are in the relay's own words. */
  ownErrors: boolean;
  close(): Promise<void>;
}>;

type Options = Readonly<{
  config: Config;
  choice: CompleteChoice;
  /** Of the Messages door: Anthropic's API or the embedded simulator. */
  messages: Upstream;
  clock: Clock;
  log: Log;
}>;

export const openComplete = (options: Options): Completing => {
  const { config, choice, messages } = options;
  if (choice.kind !== "cli") {
    const isClosed = choice.kind === "closed";
    const upstream = isClosed ? createClosedUpstream(choice.reason) : messages;
    return {
      upstream: withTimeLimit(upstream, config.completeTimeoutMs),
      structured: "native",
      ownErrors: isClosed,
      close: async () => undefined,
    };
  }
  const { upstream: cli, close } = openCli(options, choice.cli);
  const upstream = withTimeLimit(cli, config.completeTimeoutMs);
  const bySubscription = choice.cli.credential.kind !== "api_key";
  return {
    upstream: bySubscription ? { ...upstream, billing: "subscription" } : upstream,
    structured: "prompt",
    ownErrors: true,
    close,
  };
};

const minute = 60_000;

const openCli = ({ config, clock, log }: Options, { probe: found, credential }: UsableCli) =>
  createClaudeCli({
    binary: found.binary,
    defaultModel: resolveModel(config.defaultModel),
    version: found.version,
    credential,
    sandbox: found.sandbox,
    // A login is for Anthropic alone; only an API key may go to the address that was set for it.
    baseUrl: credential.kind === "api_key" ? baseUrlOf(config) : null,
    tempRoot: tmpdir(),
    poolSize: config.cliPool,
    maxIdleMs: 10 * minute,
    concurrency: Math.min(config.cliConcurrency, config.globalConcurrency),
    queue: config.cliQueue,
    limits: defaultProcessLimits,
    clock,
    log,
  });

const baseUrlOf = ({ upstream }: Config): string | null =>
  upstream.kind === "anthropic" && upstream.baseUrl !== "https://api.anthropic.com"
    ? upstream.baseUrl
    : null;
