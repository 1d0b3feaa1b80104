import type { VNode } from "preact";

/** Stands where an answer will. */
export const Thinking = (): VNode => (
  <div class="thinking" data-testid="thinking" role="img" aria-label="Waiting for the answer">
    <span />
    <span />
    <span />
  </div>
);
