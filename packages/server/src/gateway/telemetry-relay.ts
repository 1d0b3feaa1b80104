import type { TelemetryRelay, TelemetrySignal } from "../pipeline/gateway-ports.ts";
import type { Log } from "../pipeline/log.ts";
import type { Clock } from "../pipeline/types.ts";

type Sending = Readonly<{ url: string; headers: Readonly<Record<string, string>>; body: Buffer }>;

/** Gives the status of the answer. */
export type PostTelemetry = (sending: Sending, signal: AbortSignal) => Promise<number>;

type Options = Readonly<{
  /** Without the path of a signal, as OTEL_EXPORTER_OTLP_ENDPOINT is; null drops everything. */
  url: string | null;
  log: Log;
  clock: Clock;
  post?: PostTelemetry;
  mostAtOnce?: number;
  /** Of bodies on their way, in bytes; what would be more is dropped. */
  mostBytes?: number;
}>;

const patienceMs = 10_000;
const saidEveryMs = 60_000;

/**
 * One try each, at once or never: telemetry that a collector does not take is lost, and a collector that is away
 * is never stormed. Only how much was lost is logged, once a minute.
 */
export const createTelemetryRelay = (options: Options): TelemetryRelay => {
  const {
    url,
    log,
    clock,
    post = postOnce,
    mostAtOnce = 16,
    mostBytes = 32 * 1024 * 1024,
  } = options;
  const closed = new AbortController();
  let atOnce = 0;
  let bytes = 0;
  let lost = 0;
  let saidAtMs = Number.NEGATIVE_INFINITY;

  const lose = (why: string): void => {
    lost += 1;
    if (clock.monotonicMs() - saidAtMs >= saidEveryMs) {
      log.warn({ lost, why }, "Telemetry was not passed on to OTLP_RELAY_URL");
      saidAtMs = clock.monotonicMs();
      lost = 0;
    }
  };

  const send = async (sending: Sending): Promise<void> => {
    atOnce += 1;
    bytes += sending.body.length;
    try {
      const signal = AbortSignal.any([closed.signal, AbortSignal.timeout(patienceMs)]);
      const status = await post(sending, signal);
      if (status < 200 || status >= 300) {
        lose(`answered ${status}`);
      }
    } catch (error) {
      lose(error instanceof Error ? error.name : "failed");
    } finally {
      atOnce -= 1;
      bytes -= sending.body.length;
    }
  };

  return {
    take: (signal, headers, body) => {
      if (url === null || closed.signal.aborted) {
        return;
      }
      if (atOnce >= mostAtOnce || bytes + body.length > mostBytes) {
        lose("too much at once");
        return;
      }
      void send({ url: endpoint(url, signal), headers: headersOf(headers), body });
    },
    close: () => closed.abort(),
  };
};

const endpoint = (url: string, signal: TelemetrySignal): string => `${url}/v1/${signal}`;

const headersOf = ({
  contentType,
  contentEncoding,
}: Parameters<TelemetryRelay["take"]>[1]): Record<string, string> => ({
  "content-type": contentType,
  ...(contentEncoding !== null && { "content-encoding": contentEncoding }),
});

const postOnce: PostTelemetry = async ({ url, headers, body }, signal) => {
  const request = { method: "POST", headers, body: new Uint8Array(body), signal } as const;
  const response = await fetch(url, { ...request, redirect: "error" });
  await response.body?.cancel();
  return response.status;
};
