import { type Static, Type } from "typebox";

export const CircuitBreakerStatus = Type.Object({
  upstream: Type.String(),
  state: Type.Union([Type.Literal("closed"), Type.Literal("open"), Type.Literal("half_open")]),
  consecutive_failures: Type.Integer(),
  consecutive_successes: Type.Integer({ description: "Successful probes while half-open" }),
  retry_after_ms: Type.Integer({ description: "Until the next probe may pass; 0 unless open" }),
});
export type CircuitBreakerStatus = Static<typeof CircuitBreakerStatus>;
