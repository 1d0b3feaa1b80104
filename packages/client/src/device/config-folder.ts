import { homedir } from "node:os";
import { join } from "node:path";

/** Where this user's claude-relay keeps its files, as each system likes it. Absolute. */
export const configFolder = (
  environment: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
  home?: string,
): string => {
  // Asked only where it counts: a user that is a number alone, in a container, has none.
  const atHome = (...names: readonly string[]): string => join(home ?? homedir(), ...names);
  const { XDG_CONFIG_HOME: xdg, APPDATA: appData } = environment;
  switch (platform) {
    case "darwin":
      return atHome("Library", "Application Support", "claude-relay");
    case "win32":
      return join(appData || atHome("AppData", "Roaming"), "claude-relay");
    default:
      // A relative path there is to be ignored (XDG Base Directory Specification).
      return join(xdg?.startsWith("/") ? xdg : atHome(".config"), "claude-relay");
  }
};
