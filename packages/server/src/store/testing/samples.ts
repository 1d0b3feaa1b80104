/** Intents, outcomes and marks for the store's tests and measurements. */
import {
  type DeviceId,
  epochMs,
  type ModelId,
  microUsd,
  type OrganizationId,
  type RequestId,
  type UserId,
} from "@claude-relay/contract";
import type { Intent, Outcome, Progress, Usage } from "../../pipeline/types.ts";

export const noon = epochMs(1_790_000_000_000);

export const requestId = (number: number): RequestId =>
  `req_${String(number).padStart(26, "0")}` as RequestId;

export const sampleUsage: Usage = {
  inputTokens: 1_200,
  outputTokens: 345,
  cacheReadInputTokens: 20_000,
  cacheCreation5mInputTokens: 512,
  cacheCreation1hInputTokens: 64,
  webSearchRequests: 1,
  webFetchRequests: 2,
  serviceTier: "standard",
  speed: null,
  inferenceGeo: "us",
  iterations: [],
};

export const sampleIntent = (number: number, changes: Partial<Intent> = {}): Intent => ({
  id: requestId(number),
  startedAt: epochMs(noon + number),
  operation: "messages",
  callerKind: "device",
  callerId: "device-1234" as DeviceId,
  userId: "user-1" as UserId,
  organizationId: "org-1" as OrganizationId,
  sessionId: "0b8f7a52-5c1c-4f0e-9d0a-6a3f5f1f2a10",
  model: "claude-sonnet-4-5-20250929" as ModelId,
  stream: true,
  bodyBytes: 2_048,
  upstream: "anthropic",
  holdMicroUsd: microUsd(123_456),
  fallback: { inputTokens: 700, costMicroUsd: microUsd(2_100), accuracy: "estimated" },
  ...changes,
});

export const sampleProgress = (number: number, outputTokens: number): Progress => ({
  id: requestId(number),
  usage: { ...sampleUsage, outputTokens },
  costMicroUsd: microUsd(1_000 + outputTokens),
});

export const sampleOutcome = (number: number, changes: Partial<Outcome> = {}): Outcome => ({
  id: requestId(number),
  status: 200,
  accuracy: "measured",
  ending: "complete",
  durationMs: 1_500,
  firstByteMs: 210,
  responseModel: "claude-sonnet-4-5-20250929" as ModelId,
  usage: sampleUsage,
  costMicroUsd: microUsd(9_876),
  priceFlag: null,
  errorType: null,
  upstreamRequestId: "req_011CSHoEeqs5C35K2UUqR7Fy",
  ...changes,
});
