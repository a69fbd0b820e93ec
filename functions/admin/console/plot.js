// What charts have in common: their room, their edge and their lines. Drawn here, as SVG.

import { svg } from "./dom.js";

export const EDGE = { left: 48, right: 8, top: 8, bottom: 22 };

/** Drawn as wide as there is room, so that its text is as large as all other. */
export const room = (place) => Math.max(280, place.clientWidth || 720);

/** Draws anew when the room changes. */
export function redrawn(place, draw, signal) {
  let wide = 0;
  const observer = new ResizeObserver(() => {
    if (place.clientWidth === wide) return;
    wide = place.clientWidth;
    draw();
  });
  observer.observe(place);
  signal.addEventListener("abort", () => observer.disconnect());
}

export const picture = (wide, high, label, ...content) =>
  svg(
    "svg",
    { viewBox: `0 0 ${wide} ${high}`, width: wide, height: high, class: "chart", role: "img", "aria-label": label },
    ...content,
  );

/** A line across, and what it stands for. */
export const line = (wide, y, text) => [
  svg("line", { class: "grid", x1: EDGE.left, x2: wide - EDGE.right, y1: y, y2: y }),
  svg("text", { class: "tick end", x: EDGE.left - 6, y: y + 4 }, text),
];
