/** Whether a setting of this name, in any case, holds a secret. Dots, dashes and capitals part its words. */
export const isSecretName = (name: string): boolean =>
  isPlainlySecret(name) || isPerhapsSecret(name);

/** Such as nobody says of anything else: what follows it is the secret even without a sign between. */
export const isPlainlySecret = (name: string): boolean => {
  const lower = name.toLowerCase();
  const bare = lower.replace(/[-_]/g, "");
  return plainParts.some((part) => bare.includes(part)) || plainWords.has(lastWord(lower));
};

const isPerhapsSecret = (name: string): boolean => {
  const lower = name.toLowerCase();
  if (perhapsParts.some((part) => lower.includes(part))) {
    return true;
  }
  if (lower.endsWith("key") || keyNumber.test(lower)) {
    return !lower.includes("public");
  }
  return perhapsWords.has(lastWord(lower)) || lastOfMany.test(lower) || lastCapital.test(name);
};

/**
 * Whether `name=` may be short for a secret's name: RouterOS takes the beginning of a name when no other begins so.
 * Takes more than it would.
 */
export const isSecretAbbreviation = (name: string): boolean => {
  const word = lastWord(name.toLowerCase());
  return abbreviable.some(
    ([whole, shortest]) => word.length >= shortest.length && whole.startsWith(word),
  );
};

const lastWord = (lower: string): string => lower.slice(lower.lastIndexOf(".") + 1);

/** Of a name without dashes. */
const plainParts = [
  "password",
  "passwd",
  "passphrase",
  "passcode",
  "secret",
  "privatekey",
  "sharedkey",
  "psk",
  "community",
  "token",
  "apikey",
  "passwort",
  "kennwort",
  "wachtwoord",
  "contraseña",
  "contrasena",
  "contrasenya",
  "парол",
  "hasło",
  "haslo",
  "senha",
  "lösenord",
  "losenord",
  "passord",
  "adgangskode",
  "salasana",
  "heslo",
  "jelszó",
  "şifre",
  "sifre",
];

const plainWords = new Set(["pwd", "pw", "puk", "pincode", "pin-code"]);

const perhapsParts = ["auth-key", "credential", "authorization", "cookie"];

/** `static-key-0` */
const keyNumber = /key-?\d$/;

const perhapsWords = new Set([
  "pass",
  "pin",
  "cak",
  "otp",
  "keys",
  "passe",
  "parole",
  "parola",
  "parolă",
  "clave",
]);

/** `wps-pin`, `admin_pw` */
const lastOfMany = /[-_.\d](?:pass|pin|pwd?)$/;
/** `wifiPass` */
const lastCapital = /[a-z\d]P(?:ass|in|wd?)$/;

/** With the shortest beginning that is taken for it. */
const abbreviable: readonly (readonly [string, string])[] = [
  ["password", "pa"],
  ["passphrase", "pa"],
  ["secret", "sec"],
  ["private-key", "priv"],
  ["preshared-key", "pres"],
  ["pre-shared-key", "pre-"],
  ["wpa-pre-shared-key", "wpa"],
  ["wpa2-pre-shared-key", "wpa"],
  ["ipsec-secret", "ipsec-s"],
  ["authentication-password", "authentication-pa"],
  ["authentication-key", "authentication-k"],
  ["encryption-password", "encryption-pa"],
  ["supplicant-identity-password", "supplicant-identity-"],
  ["eap-password", "eap-p"],
  ["mschapv2-password", "mschapv2-p"],
  ["radius-password", "radius-pa"],
  ["proxy-password", "proxy-pa"],
  ["export-passphrase", "export-p"],
  ["key-passphrase", "key-p"],
  ["shared-secret", "shared-s"],
  ["tcp-md5-key", "tcp-md5"],
  ["auth-key", "auth-k"],
  ["static-key-0", "static-k"],
  ["community", "commu"],
  ["trap-community", "trap-c"],
  ["sim-pin", "sim-p"],
  ["wps-pin", "wps-p"],
];
