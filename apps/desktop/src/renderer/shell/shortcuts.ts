import { useEffect } from "preact/hooks";

/** Macs have ⌘ where others have Ctrl. */
export const isMac = (): boolean => /mac/i.test(navigator.platform);

export type Shortcut = "new" | "search" | "help" | "copy" | "stop";

/** Which shortcut a key press is; null: none. */
export const shortcutOf = (
  event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">,
  onMac: boolean,
): Shortcut | null => {
  if (event.key === "Escape") {
    return "stop";
  }
  const isWithModifier = onMac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
  if (!isWithModifier || event.altKey) {
    return null;
  }
  const key = event.key.toLowerCase();
  if (event.shiftKey) {
    // On many keyboards the slash is typed with Shift.
    return key === "c" ? "copy" : key === "/" || key === "?" ? "help" : null;
  }
  return ({ n: "new", k: "search", "/": "help" } as const)[key] ?? null;
};

/** For the list of shortcuts: each with its keys. */
export const shortcutList = (
  onMac: boolean,
): readonly Readonly<{ keys: readonly string[]; does: string }>[] => {
  const modifier = onMac ? "⌘" : "Ctrl";
  return [
    { keys: ["Enter"], does: "Send" },
    { keys: ["Shift", "Enter"], does: "New line" },
    { keys: ["Esc"], does: "Stop the answer" },
    { keys: [modifier, "N"], does: "New conversation" },
    { keys: [modifier, "K"], does: "Search conversations" },
    { keys: [modifier, "Shift", "C"], does: "Copy the last answer" },
    { keys: ["↑", "↓"], does: "Move in the list of conversations" },
    { keys: ["F2"], does: "Rename a conversation in the list" },
    { keys: ["Delete"], does: "Delete a conversation in the list" },
    { keys: [modifier, "/"], does: "Show these shortcuts" },
  ];
};

/** Listens for shortcuts everywhere in the window. */
export const useShortcuts = (run: (shortcut: Shortcut) => void): void => {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const shortcut = event.isComposing ? null : shortcutOf(event, isMac());
      if (shortcut !== null) {
        if (shortcut !== "stop") {
          event.preventDefault();
        }
        run(shortcut);
      }
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [run]);
};
