import type { VNode } from "preact";

/** Drawn in a square of 16, with the text's colour. */
const paths = {
  plus: "M8 3v10M3 8h10",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  close: "M4 4l8 8M12 4l-8 8",
  search: "M7 2.8a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 0 0 0-8.4M10.2 10.2l3.3 3.3",
  pencil: "M3 13l.7-2.8 7-7a1.2 1.2 0 0 1 1.7 0l.4.4a1.2 1.2 0 0 1 0 1.7l-7 7zM9.5 4.4l2.1 2.1",
  trash: "M3 4.5h10M6.3 4.5V3.2h3.4v1.3M4.3 4.5l.6 8.3h6.2l.6-8.3M6.8 7v3.6M9.2 7v3.6",
  copy: "M5.5 5.5v-2a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-2M2.5 6.5a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-6a1 1 0 0 1-1-1z",
  check: "M3 8.5l3.2 3.2L13 4.6",
  send: "M8 13V3.4M3.8 7.4L8 3.2l4.2 4.2",
  stop: "M4.5 4.5h7v7h-7z",
  retry: "M13 8a5 5 0 1 1-1.5-3.6M13 2.6v2.6h-2.6",
  down: "M8 3v9.6M3.8 8.6L8 12.8l4.2-4.2",
  chevron: "M4 6.2l4 4 4-4",
  gear: "M8 5.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4M8 1.8v1.7M8 12.5v1.7M1.8 8h1.7M12.5 8h1.7M3.6 3.6l1.2 1.2M11.2 11.2l1.2 1.2M12.4 3.6l-1.2 1.2M4.8 11.2l-1.2 1.2",
  warning: "M8 2.6l6 10.6H2zM8 6.6v3M8 11.4v.2",
  info: "M8 2.4a5.6 5.6 0 1 0 0 11.2A5.6 5.6 0 0 0 8 2.4M8 7.4v3.4M8 5.2v.2",
  keyboard: "M2 4.2h12v7.6H2zM4.4 6.8h.2M7 6.8h.2M9.6 6.8h.2M12 6.8h-.2M5 9.4h6",
} as const;

export type IconName = keyof typeof paths;

/** A picture beside words, or in a labelled button: never the only name of a thing. */
export const Icon = ({ name }: Readonly<{ name: IconName }>): VNode => (
  <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
    <path d={paths[name]} />
  </svg>
);
