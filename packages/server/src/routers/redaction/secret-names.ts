/** Whether a setting of this name, in any case, holds a secret. Dots and dashes part its words. */
export const isSecretName = (name: string): boolean => {
  const lower = name.toLowerCase();
  if (secretParts.some((part) => lower.includes(part))) {
    return true;
  }
  if (lower.endsWith("key") || keyNumber.test(lower)) {
    return !lower.includes("public");
  }
  return secretWords.has(lower.slice(lower.lastIndexOf(".") + 1));
};

const secretParts = [
  "password",
  "passwd",
  "passphrase",
  "passcode",
  "secret",
  "private-key",
  "private_key",
  "privatekey",
  "shared-key",
  "shared_key",
  "sharedkey",
  "psk",
  "community",
  "token",
  "api-key",
  "api_key",
  "apikey",
  "auth-key",
  "credential",
  "authorization",
  "cookie",
];

/** `static-key-0` */
const keyNumber = /key-?\d$/;

const secretWords = new Set([
  "pass",
  "pwd",
  "pin",
  "sim-pin",
  "puk",
  "cak",
  "otp",
  "keys",
  "parole",
  "kennwort",
  "passwort",
  "contrasena",
]);
