// Bars of what became of events by hour, and points of how long endpoints took. Drawn here, as SVG.

import { h, svg } from "./dom.js";
import { brief, counted, events, grouped, time } from "./words.js";

const HOUR_MS = 3_600_000;
const SHOWN_HOURS = 24;
const KINDS = [
  ["delivered", "delivered"],
  ["scheduled", "failed, tried again"],
  ["parked", "parked"],
  ["dead", "dead"],
];
const HIGH = 190;
const EDGE = { left: 48, right: 8, top: 8, bottom: 22 };

/** Drawn as wide as there is room, so that its text is as large as all other. */
const room = (place) => Math.max(280, place.clientWidth || 720);

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

/** The last hours, stacked; the same figures in a table below. */
export function chart(place, hours, now = Date.now()) {
  const open = place.querySelector("details")?.open ?? false;
  const wide = room(place);
  const shown = window24(hours, now);
  const most = Math.max(1, ...shown.map(({ counts }) => KINDS.reduce((sum, [name]) => sum + counts[name], 0)));
  const top = round(most);
  const y = (count) => EDGE.top + (HIGH - EDGE.top - EDGE.bottom) * (1 - count / top);
  const step = (wide - EDGE.left - EDGE.right) / SHOWN_HOURS;
  const bars = shown.flatMap(({ at, counts }, index) => {
    let below = 0;
    const parts = KINDS.filter(([name]) => counts[name] > 0).map(([name]) => {
      const from = y(below);
      below += counts[name];
      return svg("rect", {
        class: `bar ${name}`,
        x: EDGE.left + index * step + 1,
        width: step - 2,
        y: y(below),
        height: Math.max(1, from - y(below)),
      });
    });
    const words = KINDS.map(([name, label]) => `${label} ${grouped(counts[name])}`).join(", ");
    return parts.length ? [svg("g", {}, svg("title", {}, `${hour(at)}: ${words}`), ...parts)] : [];
  });
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${wide} ${HIGH}`, width: wide, height: HIGH, class: "chart", role: "img", "aria-label": summary(shown) },
    ...axis(top, y, wide),
    ...shown.flatMap(({ at }, index) =>
      index % 6 === 0
        ? [svg("text", { class: "tick", x: EDGE.left + index * step, y: HIGH - 6 }, hour(at))]
        : [],
    ),
    ...bars,
  );
  const rows = shown.filter(({ counts }) => KINDS.some(([name]) => counts[name] > 0)).reverse();
  place.replaceChildren(
    picture,
    legend(KINDS),
    h("p", { className: "hint" }, "What happened in each hour: an event that failed, was parked and then delivered counts as all three."),
    h(
      "details",
      { open },
      h("summary", {}, "The same in figures"),
      rows.length === 0
        ? h("p", { className: "hint" }, "Nothing in the last 24 hours.")
        : h(
            "table",
            {},
            h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Hour"), ...KINDS.map(([, label]) => h("th", { scope: "col" }, label)))),
            h(
              "tbody",
              {},
              ...rows.map(({ at, counts }) =>
                h("tr", {}, h("th", { scope: "row" }, time(at)), ...KINDS.map(([name]) => h("td", {}, grouped(counts[name])))),
              ),
            ),
          ),
    ),
  );
}

/** How long each attempt took, on a logarithmic scale. */
export function latency(place, attempts) {
  const wide = room(place);
  const measured = attempts.filter((one) => Number.isFinite(one.duration_ms) && one.requests !== 0);
  if (measured.length === 0) {
    place.replaceChildren();
    return;
  }
  const times = measured.map((one) => one.at);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const x = (at) => EDGE.left + 4 + ((wide - EDGE.left - EDGE.right - 8) * (at - first)) / Math.max(1, last - first);
  const [low, high] = [0, 4.5];
  const log = (ms) => Math.min(high, Math.max(low, Math.log10(Math.max(1, ms))));
  const tall = HIGH - 40;
  const y = (ms) => EDGE.top + ((tall - EDGE.top - EDGE.bottom) * (high - log(ms))) / (high - low);
  const sorted = measured.map((one) => one.duration_ms).sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const words = `Latency of ${counted(measured.length, "attempt", "attempts")}: median ${grouped(at(0.5))} ms, 95 % within ${grouped(at(0.95))} ms, slowest ${grouped(at(1))} ms`;
  const grid = [1, 10, 100, 1000, 10_000].flatMap((ms) => [
    svg("line", { class: "grid", x1: EDGE.left, x2: wide - EDGE.right, y1: y(ms), y2: y(ms) }),
    svg("text", { class: "tick end", x: EDGE.left - 6, y: y(ms) + 4 }, ms < 1000 ? `${ms} ms` : `${ms / 1000} s`),
  ]);
  const points = measured.map((one) => {
    const well = one.outcome === "delivered";
    const title = svg("title", {}, `${brief(one.at)}: ${one.outcome}, ${grouped(one.duration_ms)} ms`);
    // Two shapes, for those who do not see the two colours apart.
    const [cx, cy] = [x(one.at), y(one.duration_ms)];
    return well
      ? svg("circle", { class: "point delivered", cx, cy, r: 4 }, title)
      : svg("path", { class: "point failed", d: `M${cx - 4} ${cy - 4}l8 8m0 -8l-8 8` }, title);
  });
  place.replaceChildren(
    h("p", { className: "figures" }, words),
    svg(
      "svg",
      { viewBox: `0 0 ${wide} ${tall}`, width: wide, height: tall, class: "chart", role: "img", "aria-label": words },
      ...grid,
      svg("text", { class: "tick", x: EDGE.left, y: tall - 4 }, brief(first)),
      svg("text", { class: "tick end", x: wide - EDGE.right, y: tall - 4 }, brief(last)),
      ...points,
    ),
  );
}

/** Each of the last 24 hours, with or without events. */
function window24(hours, now) {
  const known = new Map(hours.map((one) => [Date.parse(`${one.hour}:00:00Z`), one]));
  const end = Math.floor(now / HOUR_MS) * HOUR_MS;
  return Array.from({ length: SHOWN_HOURS }, (_, index) => {
    const at = end - (SHOWN_HOURS - 1 - index) * HOUR_MS;
    const found = known.get(at) ?? {};
    return { at, counts: Object.fromEntries(KINDS.map(([name]) => [name, found[name] ?? 0])) };
  });
}

function axis(top, y, wide) {
  return [0, top / 2, top].flatMap((count) => [
    svg("line", { class: "grid", x1: EDGE.left, x2: wide - EDGE.right, y1: y(count), y2: y(count) }),
    svg("text", { class: "tick end", x: EDGE.left - 6, y: y(count) + 4 }, short(count)),
  ]);
}

function legend(kinds) {
  return h(
    "ul",
    { className: "legend", "aria-hidden": "true" },
    ...kinds.map(([name, label]) => h("li", {}, h("span", { className: `swatch ${name}` }), label)),
  );
}

function summary(shown) {
  const sum = (name) => shown.reduce((total, { counts }) => total + counts[name], 0);
  return `The last 24 hours: ${KINDS.map(([name, label]) => `${label} ${events(sum(name))}`).join(", ")}`;
}

/** The next 1, 2 or 5 times a power of ten. */
function round(most) {
  const unit = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((times) => times * unit).find((top) => top >= most);
}

const short = (count) =>
  count >= 1e6 ? `${count / 1e6} M` : count >= 1e4 ? `${count / 1e3} k` : Number.isInteger(count) ? grouped(count) : "";

const hour = (at) => `${String(new Date(at).getHours()).padStart(2, "0")}:00`;
