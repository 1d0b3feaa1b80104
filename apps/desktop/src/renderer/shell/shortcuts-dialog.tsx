import type { VNode } from "preact";
import { Dialog } from "./dialog.tsx";
import { isMac, shortcutList } from "./shortcuts.ts";

export const ShortcutsDialog = ({ onClose }: Readonly<{ onClose: () => void }>): VNode => (
  <Dialog title="Keyboard shortcuts" testId="shortcuts" onClose={onClose}>
    <dl class="shortcuts">
      {shortcutList(isMac()).map(({ keys, does }) => (
        <div key={does}>
          <dt>{does}</dt>
          <dd>
            {keys.map((key) => (
              <kbd key={key}>{key}</kbd>
            ))}
          </dd>
        </div>
      ))}
    </dl>
  </Dialog>
);
