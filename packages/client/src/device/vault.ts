import type { DeviceIdFile } from "./device-id-file.ts";
import { type DeviceIdentity, newDeviceId, newIdentity, parseIdentity } from "./identity.ts";
import type { SecretStore, SessionRandom } from "./ports.ts";
import { type HeldToken, parseToken, serializeToken } from "./stored-token.ts";

type Options = Readonly<{
  relayUrl: string;
  store: SecretStore;
  /** Where the id lives when the store forgets. */
  idFile: DeviceIdFile | undefined;
  /** The caller's own choice of an id. */
  deviceId: string | undefined;
  random: SessionRandom;
  /** Told when the store cannot be used; the words hold no secret. */
  onFault: (message: string) => void;
}>;

/** The identity and the token of this device at one relay, kept in the store; never fails because of it. */
export interface Vault {
  identity(): Promise<DeviceIdentity | undefined>;
  /** Makes and keeps a new one. To be called under the lock, when there is none. */
  makeIdentity(): Promise<DeviceIdentity>;
  token(): Promise<HeldToken | undefined>;
  keepToken(held: HeldToken): Promise<void>;
  dropToken(): Promise<void>;
  forget(): Promise<void>;
}

export const createVault = ({
  relayUrl,
  store,
  idFile,
  deviceId,
  random,
  onFault,
}: Options): Vault => {
  const identityName = `identity ${relayUrl}`;
  const tokenName = `token ${relayUrl}`;
  let identity: DeviceIdentity | undefined;

  const attempt = async <Result>(
    what: string,
    work: () => Promise<Result>,
  ): Promise<Result | undefined> => {
    try {
      return await work();
    } catch (error) {
      // The store's own words: it was given a secret, so they are not trusted to leave it out.
      const code = error instanceof Error ? error.name : "unknown";
      onFault(`The secret store could not be ${what} (${code}). The session goes on in memory.`);
      return undefined;
    }
  };

  const read = async <Value>(
    name: string,
    parse: (text: string) => Value | undefined,
  ): Promise<Value | undefined> => {
    const text = await attempt("read", () => store.get(name));
    if (text === undefined || text === null) {
      return undefined;
    }
    const value = parse(text);
    if (value === undefined) {
      onFault(`The secret store's entry "${name}" is damaged and is left aside.`);
    }
    return value;
  };

  return {
    identity: async () => {
      identity ??= await read(identityName, parseIdentity);
      if (identity !== undefined && deviceId !== undefined && identity.deviceId !== deviceId) {
        identity = undefined;
      }
      return identity;
    },
    makeIdentity: async () => {
      const fresh = (): string => newDeviceId(random);
      const id = deviceId ?? (await attempt("read", async () => idFile?.take(fresh))) ?? fresh();
      const made = newIdentity(id, random);
      identity = made;
      await attempt("written", () => store.set(identityName, made.serialize()));
      return made;
    },
    token: async () => {
      const held = await read(tokenName, parseToken);
      return deviceId !== undefined && held?.deviceId !== deviceId ? undefined : held;
    },
    keepToken: async (held) => {
      const kept = await attempt("written", async () => {
        await store.set(tokenName, serializeToken(held));
        return true;
      });
      if (kept === undefined) {
        // The old one must not be found there: brought back to the relay, it would end all others.
        await attempt("written", () => store.delete(tokenName));
      }
    },
    dropToken: async () => {
      await attempt("written", () => store.delete(tokenName));
    },
    forget: async () => {
      identity = undefined;
      await attempt("written", () => store.delete(tokenName));
      await attempt("written", () => store.delete(identityName));
      await attempt("written", async () => idFile?.remove());
    },
  };
};
