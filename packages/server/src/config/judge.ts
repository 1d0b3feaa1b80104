import { isLoopbackHost } from "../pipeline/loopback.ts";
import { resolveModel } from "../pipeline/model-alias.ts";
import { compileModelList, modelPatternFault } from "../pipeline/model-pattern.ts";
import { cloudFaults, cloudWarnings } from "./cloud-faults.ts";
import { dataDirFault } from "./data-dir.ts";
import { gatewayFaults, gatewayWarnings } from "./gateway-faults.ts";
import type { Values } from "./settings.ts";

/** What is wrong with the settings taken together; each fault names its setting and the remedy. */
export const judge = (values: Values): string[] => [
  ...exposureFaults(values),
  ...bootstrapFaults(values),
  ...modelFaults(values),
  ...upstreamFaults(values),
  ...instanceFaults(values),
  ...webhookFaults(values),
  ...cloudFaults(values),
  ...gatewayFaults(values, isReachableOnlyHere(values)),
  ...[dataDirFault(values.dataDir)].filter((fault) => fault !== null),
];

/** What may be meant, and is worth a word at the start. */
export const warningsOf = (values: Values): string[] => {
  const { redisUrl, databaseUrl, allowedModels, defaultModel } = values;
  const model = resolveModel(defaultModel);
  return [
    (redisUrl === null) !== (databaseUrl === null) &&
      `${redisUrl === null ? "DATABASE_URL without REDIS_URL" : "REDIS_URL without DATABASE_URL"}: run one instance only`,
    allowedModels.length > 0 &&
      !compileModelList(allowedModels)(model) &&
      `DEFAULT_MODEL ${defaultModel} is not in ALLOWED_MODELS: /v1/complete calls that name no model are refused`,
    ...routerModelWarnings(values),
    ...cloudWarnings(values),
    ...gatewayWarnings(values),
  ].filter((warning) => warning !== false);
};

const routerModelWarnings = (values: Values): string[] => {
  const { cloudEnabled, allowedModels, routerModel, defaultModel } = values;
  const model = routerModel ?? defaultModel;
  if (!cloudEnabled || allowedModels.length === 0) {
    return [];
  }
  return compileModelList(allowedModels)(resolveModel(model))
    ? []
    : [
        `${routerModel === null ? "DEFAULT_MODEL" : "CLAUDE_RELAY_ROUTER_MODEL"} ${model}, which is asked for routers, is not in ALLOWED_MODELS: whatever routers ask is refused`,
      ];
};

/** True when only this machine can reach the server, as far as the settings say. */
export const isReachableOnlyHere = ({ host, proxyBaseUrl }: Values): boolean =>
  isLoopbackHost(host) && (proxyBaseUrl === null || isLoopbackHost(new URL(proxyBaseUrl).hostname));

/** In production, and where others can reach the server, nothing is generated and nothing simulated. */
const exposureFaults = (values: Values): string[] => {
  const production = values.environment === "production";
  if (!production && isLoopbackHost(values.host)) {
    return [];
  }
  const why = production
    ? "in production (NODE_ENV=production)"
    : `when HOST is not loopback (${values.host})`;
  const secretRemedy = "make one with: openssl rand -base64 32.";
  return [
    values.anthropicApiKeys.length === 0 &&
      `ANTHROPIC_API_KEY is required ${why}: the simulator serves development on loopback only.`,
    values.jwtSecret === null && `JWT_SECRET is required ${why}; ${secretRemedy}`,
    values.adminToken === null && `ADMIN_TOKEN is required ${why}; ${secretRemedy}`,
    values.proxyBaseUrl === null &&
      `PROXY_BASE_URL is required ${why}: the address callers reach this server at, such as https://relay.example.com.`,
  ].filter((fault) => fault !== false);
};

const instanceFaults = ({ workers, redisUrl, databaseUrl }: Values): string[] =>
  workers > 1 && (redisUrl === null || databaseUrl === null)
    ? [
        `WORKERS=${workers} needs REDIS_URL and DATABASE_URL: without them each process would keep limits, budgets and records of its own. Set both, or WORKERS=1.`,
      ]
    : [];

const webhookFaults = ({ webhookUrl, webhookSecret, webhookAllowPrivate }: Values): string[] => {
  if (webhookUrl === null) {
    return [];
  }
  const { protocol, hostname } = new URL(webhookUrl);
  const isHere = isLoopbackHost(hostname);
  return [
    webhookSecret === null &&
      "WEBHOOK_SECRET is required with WEBHOOK_URL: it signs each call; make one with: openssl rand -base64 32.",
    isHere &&
      !webhookAllowPrivate &&
      "WEBHOOK_URL is this machine, which is not called unless WEBHOOK_ALLOW_PRIVATE=true.",
    !isHere &&
      protocol === "http:" &&
      !webhookAllowPrivate &&
      "WEBHOOK_URL must be https://: http is for your own network, with WEBHOOK_ALLOW_PRIVATE=true.",
  ].filter((fault) => fault !== false);
};

const bootstrapFaults = (values: Values): string[] =>
  values.bootstrap === "open" && !isReachableOnlyHere(values)
    ? [
        "BOOTSTRAP=open hands a token to anyone, so HOST and PROXY_BASE_URL must be loopback: use BOOTSTRAP=code or approve.",
      ]
    : [];

const modelFaults = (values: Values): string[] =>
  values.allowedModels.flatMap((pattern) => {
    const fault = modelPatternFault(pattern);
    return fault === null ? [] : [`ALLOWED_MODELS: ${fault}.`];
  });

const upstreamFaults = (values: Values): string[] =>
  values.anthropicApiKeys.length > 0 && isOwnAddress(values)
    ? [
        "ANTHROPIC_BASE_URL is this server's own address: it would call itself. It names upstream: unset ANTHROPIC_BASE_URL here, or in the file that sets it. Only a client's shell or settings name the relay with it.",
      ]
    : [];

/** True for the address callers use: a shell set up for them passes it on to the server it starts. */
const isOwnAddress = ({ anthropicBaseUrl, port, proxyBaseUrl }: Values): boolean => {
  const upstream = new URL(anthropicBaseUrl);
  const upstreamPort = Number(upstream.port || (upstream.protocol === "https:" ? 443 : 80));
  return (
    anthropicBaseUrl === proxyBaseUrl ||
    (isLoopbackHost(upstream.hostname) && upstreamPort === port)
  );
};
