/** Wires the comparison of the ledger with Anthropic's own account of what it billed. */
import type { Config } from "./config.ts";
import type { PriceTable } from "./pipeline/price/price-table.ts";
import { createReconciler, type Reconciler } from "./pipeline/reconciler.ts";
import type { Clock } from "./pipeline/types.ts";
import type { Store } from "./store/store.ts";
import { createBillingReports } from "./upstreams/anthropic-admin.ts";

type Options = Readonly<{ config: Config; prices: PriceTable; clock: Clock; version: string }>;

/** @param upstream where the reports are, and its name in the ledger; the claude-cli upstream has another */
export const openReconciler = (
  { config, prices, clock, version }: Options,
  store: Pick<Store, "usage">,
  upstream: Readonly<{ url: string; port: Readonly<{ name: string }> }>,
): Reconciler => {
  const { anthropicAdminKey: adminKey, connectTimeoutMs } = config;
  return createReconciler({
    usage: store.usage,
    reports:
      adminKey === null
        ? null
        : createBillingReports({ baseUrl: upstream.url, adminKey, version, connectTimeoutMs }),
    upstream: upstream.port.name,
    webSearchMicroUsd: prices.webSearch,
    clock,
  });
};
