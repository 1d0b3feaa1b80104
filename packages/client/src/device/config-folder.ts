import { homedir } from "node:os";
import { join } from "node:path";

/** Where this user's claude-relay keeps its files, as each system likes it. Absolute. */
export const configFolder = (
  environment: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
  home: string = homedir(),
): string => {
  const { XDG_CONFIG_HOME: xdg, APPDATA: appData } = environment;
  switch (platform) {
    case "darwin":
      return join(home, "Library", "Application Support", "claude-relay");
    case "win32":
      return join(appData || join(home, "AppData", "Roaming"), "claude-relay");
    default:
      // A relative path there is to be ignored (XDG Base Directory Specification).
      return join(xdg?.startsWith("/") ? xdg : join(home, ".config"), "claude-relay");
  }
};
