import type { SecretStore } from "./ports.ts";

/** Forgets everything with the process: where there is no keychain, nothing secret is written down. */
export const createMemoryStore = (): SecretStore => {
  const entries = new Map<string, string>();
  return {
    kind: "memory",
    get: async (name) => entries.get(name) ?? null,
    set: async (name, value) => {
      entries.set(name, value);
    },
    delete: async (name) => {
      entries.delete(name);
    },
  };
};
