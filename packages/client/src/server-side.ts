import { RelayConfigurationError } from "./errors.ts";

/**
 * Refuses to go on in a web page or a web worker: whoever opens the page could read the key out of it.
 * There is no way around it on purpose; call the relay from your server instead.
 */
export const requireServerSide = (): void => {
  const scope = globalThis as Readonly<Record<string, unknown>>;
  const inPage = scope["window"] !== undefined && scope["document"] !== undefined;
  const inWorker = typeof scope["importScripts"] === "function";
  if (inPage || inWorker) {
    throw new RelayConfigurationError(
      "The claude-relay client does not run in a browser: anyone who opens the page could read the key. Call the relay from your server.",
    );
  }
};
