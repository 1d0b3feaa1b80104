import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";

/** After so long it is the keychain that is waited for, in milliseconds: all else is there at once. */
const keychainMs = 1_000;

/** What the window shows before the main process has told anything. */
export const Starting = (): VNode => {
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), keychainMs);
    return () => clearTimeout(timer);
  }, []);
  return (
    <main class="starting" data-testid="starting">
      <span class="spinner" aria-hidden="true" />
      <p role="status">
        {isLong ? "Waiting for the system’s keychain: unlock it if it asks you to." : "Starting…"}
      </p>
    </main>
  );
};
