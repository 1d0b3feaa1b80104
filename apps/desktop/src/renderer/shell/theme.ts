import { useEffect } from "preact/hooks";
import type { Settings } from "../../bridge/protocol.ts";

/** Puts light or dark on the page, as the setting says, or the system while it says "system". */
export const useTheme = (theme: Settings["theme"]): void => {
  useEffect(() => {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const apply = () => {
      const chosen = theme === "system" ? (dark.matches ? "dark" : "light") : theme;
      document.documentElement.dataset["theme"] = chosen;
    };
    apply();
    dark.addEventListener("change", apply);
    return () => dark.removeEventListener("change", apply);
  }, [theme]);
};
