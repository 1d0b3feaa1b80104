import type { Setting } from "./setting.ts";
import { anthropicSettings } from "./settings/anthropic.ts";
import { appSettings } from "./settings/apps.ts";
import { gatewaySettings } from "./settings/gateway.ts";
import { oidcSettings } from "./settings/oidc.ts";
import { policySettings } from "./settings/policy.ts";
import { routerSettings } from "./settings/routers.ts";
import { securitySettings } from "./settings/security.ts";
import { serviceSettings } from "./settings/service.ts";
import { upstreamSettings } from "./settings/upstream.ts";
import { webhookSettings } from "./settings/webhooks.ts";

const { environment, host, port, proxyBaseUrl, dataDir, ...running } = serviceSettings;

/**
 * Every setting by the name the code uses, in the order the docs show. To add one, add an entry to the file
 * in settings/ that its file key begins with; it takes its place here and in the docs by itself.
 */
export const settings = {
  environment,
  ...anthropicSettings,
  host,
  port,
  proxyBaseUrl,
  dataDir,
  ...securitySettings,
  ...policySettings,
  ...appSettings,
  ...upstreamSettings,
  ...routerSettings,
  ...gatewaySettings,
  ...oidcSettings,
  ...webhookSettings,
  ...running,
} as const;

export type SettingName = keyof typeof settings;
/** The raw values, each parsed on its own; config/judge.ts judges them together. */
export type Values = {
  readonly [Name in SettingName]: (typeof settings)[Name] extends Setting<infer Value>
    ? Value
    : never;
};
