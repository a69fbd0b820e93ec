// How long endpoints took: a point for each of the newest attempts, whatever came of them and whichever are listed.

import { page } from "./api.js";
import { h, svg } from "./dom.js";
import { Order } from "./order.js";
import { EDGE, line, picture, redrawn, room } from "./plot.js";
import { brief, counted, grouped } from "./words.js";

const NEWEST = 100;
const HIGH = 150;
/** Powers of ten of a millisecond. */
const [LOW, TOP] = [0, 4.5];

export function latency(path, signal) {
  let measured = [];
  const order = new Order();
  const words = h("p", { className: "figures" });
  const points = h("div");
  const meant = h("p", { className: "hint" }, `Of the newest ${NEWEST} attempts, of any outcome: how long the last request of each took.`);
  const empty = h("p", { className: "hint" }, "No attempts, or none that are still kept.");

  function draw() {
    const none = measured.length === 0;
    [words.hidden, points.hidden, meant.hidden, empty.hidden] = [none, none, none, !none];
    if (none) return;
    words.textContent = told(measured);
    points.replaceChildren(drawn(measured, room(points)));
  }

  async function refresh() {
    const mine = order.begin();
    const [some] = await page([...path, "attempts"], "attempts", { limit: NEWEST }, signal);
    if (signal.aborted || !order.takes(mine)) return;
    measured = some.filter((one) => Number.isFinite(one.duration_ms) && one.requests !== 0);
    draw();
  }

  redrawn(points, draw, signal);
  return { element: h("div", {}, words, points, meant, empty), refresh };
}

function told(measured) {
  const sorted = measured.map((one) => one.duration_ms).sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return `Latency of ${counted(measured.length, "attempt", "attempts")}: median ${grouped(at(0.5))} ms, 95 % within ${grouped(at(0.95))} ms, slowest ${grouped(at(1))} ms`;
}

/** On a logarithmic scale. */
function drawn(measured, wide) {
  const times = measured.map((one) => one.at);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const x = (at) => EDGE.left + 4 + ((wide - EDGE.left - EDGE.right - 8) * (at - first)) / Math.max(1, last - first);
  const log = (ms) => Math.min(TOP, Math.max(LOW, Math.log10(Math.max(1, ms))));
  const y = (ms) => EDGE.top + ((HIGH - EDGE.top - EDGE.bottom) * (TOP - log(ms))) / (TOP - LOW);
  return picture(
    wide,
    HIGH,
    told(measured),
    ...[1, 10, 100, 1000, 10_000].flatMap((ms) => line(wide, y(ms), ms < 1000 ? `${ms} ms` : `${ms / 1000} s`)),
    svg("text", { class: "tick", x: EDGE.left, y: HIGH - 4 }, brief(first)),
    svg("text", { class: "tick end", x: wide - EDGE.right, y: HIGH - 4 }, brief(last)),
    ...measured.map((one) => {
      const title = svg("title", {}, `${brief(one.at)}: ${one.outcome}, ${grouped(one.duration_ms)} ms`);
      // Two shapes, for those who do not see the two colours apart.
      const [cx, cy] = [x(one.at), y(one.duration_ms)];
      return one.outcome === "delivered"
        ? svg("circle", { class: "point delivered", cx, cy, r: 4 }, title)
        : svg("path", { class: "point failed", d: `M${cx - 4} ${cy - 4}l8 8m0 -8l-8 8` }, title);
    }),
  );
}
