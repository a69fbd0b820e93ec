// Bars of what became of events by hour, and the same in figures.

import { h, svg } from "./dom.js";
import { EDGE, line, picture, redrawn, room } from "./plot.js";
import { clock, events, grouped, time, zone } from "./words.js";

const HOUR_MS = 3_600_000;
const SHOWN_HOURS = 24;
const KINDS = [
  ["delivered", "delivered"],
  ["scheduled", "failed, tried again"],
  ["parked", "parked"],
  ["dead", "dead"],
];
const HIGH = 190;

/** The last hours of a ledger. What can have the focus is made once, and is the same after each look. */
export function hours(signal) {
  let known = [];
  const bars = h("div");
  const rows = h("tbody");
  const names = h("tr", {}, h("th", { scope: "col" }, "Hour"), ...KINDS.map(([, label]) => h("th", { scope: "col" }, label)));
  const table = h("table", {}, h("thead", {}, names), rows);
  const empty = h("p", { className: "hint" }, "Nothing in the last 24 hours.");
  const meant = h("p", { className: "hint" });

  function draw(fresh = known, now = Date.now()) {
    known = fresh;
    const shown = window24(known, now);
    bars.replaceChildren(drawn(shown, room(bars)));
    const filled = shown.filter(({ counts }) => KINDS.some(([name]) => counts[name] > 0)).reverse();
    rows.replaceChildren(
      ...filled.map(({ at, counts }) =>
        h("tr", {}, h("th", { scope: "row" }, time(at)), ...KINDS.map(([name]) => h("td", {}, grouped(counts[name])))),
      ),
    );
    table.hidden = filled.length === 0;
    empty.hidden = !table.hidden;
    meant.textContent =
      "Events, by the counters of the ledger. “Failed, tried again” is the counter “scheduled”: an event is in it once for each " +
      `time that it was put on the retry schedule. An event that was parked and then delivered is in both. Times are those of ${zone(now)}.`;
  }

  redrawn(bars, () => draw(), signal);
  const details = h("details", {}, h("summary", {}, "The same in figures"), empty, table);
  return { element: h("div", {}, bars, legend(KINDS), meant, details), draw };
}

function drawn(shown, wide) {
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
    return parts.length ? [svg("g", {}, svg("title", {}, `${clock(at)}: ${words}`), ...parts)] : [];
  });
  return picture(
    wide,
    HIGH,
    summary(shown),
    ...[0, top / 2, top].flatMap((count) => line(wide, y(count), short(count))),
    ...shown.flatMap(({ at }, index) =>
      index % 6 === 0 ? [svg("text", { class: "tick", x: EDGE.left + index * step, y: HIGH - 6 }, clock(at))] : [],
    ),
    ...bars,
  );
}

/** Each of the last 24 hours, with or without events. The ledger's hours are UTC's. */
function window24(hours, now) {
  const known = new Map(hours.map((one) => [Date.parse(`${one.hour}:00:00Z`), one]));
  const end = Math.floor(now / HOUR_MS) * HOUR_MS;
  return Array.from({ length: SHOWN_HOURS }, (_, index) => {
    const at = end - (SHOWN_HOURS - 1 - index) * HOUR_MS;
    const found = known.get(at) ?? {};
    return { at, counts: Object.fromEntries(KINDS.map(([name]) => [name, found[name] ?? 0])) };
  });
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
