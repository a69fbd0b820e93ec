// The attempts of an integration, newest first: what was tried, and what the endpoint answered.

import { page } from "./api.js";
import { latency, redrawn } from "./chart.js";
import { button, choice, field, h } from "./dom.js";
import { brief, grouped, size, time } from "./words.js";

const PART = 20;
const OUTCOMES = ["delivered", "failed", "waiting", "gone", "too_large", "unanswered", "unfinished"];
const COLUMNS = ["When", "Outcome", "Status", "Latency", "Events", "Then"];

export function attempts(path, signal) {
  const known = new Map();
  let next = null;
  let outcome = "";
  const figures = h("div");
  const rows = h("tbody");
  const empty = h("p", { className: "hint", hidden: true }, "No attempts, or none that are still kept.");
  const older = button("Show older", () => load(next, false), { hidden: true });
  const filter = choice([["", "all"], ...OUTCOMES.map((name) => [name, name.replace("_", " ")])], "", {
    change: async (event) => {
      outcome = event.target.value;
      known.clear();
      rows.replaceChildren();
      await load(null, false);
    },
  });

  async function load(cursor, isFresh) {
    const wanted = outcome;
    const [some, after] = await page([...path, "attempts"], "attempts", { outcome, cursor, limit: PART });
    if (signal.aborted || wanted !== outcome) return;
    const fresh = some.filter((one) => !known.has(one.id));
    for (const one of fresh) known.set(one.id, one);
    const made = fresh.map(row);
    if (isFresh) rows.prepend(...made.flat());
    else rows.append(...made.flat());
    // A look at what is new leaves alone how far the older ones were listed.
    if (!isFresh || rows.childElementCount === made.length * 2) next = after;
    older.hidden = next === null;
    empty.hidden = known.size > 0;
    latency(figures, [...known.values()]);
  }

  redrawn(figures, () => latency(figures, [...known.values()]), signal);
  return {
    element: h(
      "div",
      {},
      figures,
      field("Outcome", filter),
      h(
        "div",
        { className: "scroll", role: "region", tabIndex: 0, "aria-label": "Attempts" },
        h(
          "table",
          { className: "attempts" },
          h("thead", {}, h("tr", {}, ...COLUMNS.map((name) => h("th", { scope: "col" }, name)))),
          rows,
        ),
      ),
      empty,
      older,
    ),
    refresh: () => load(null, known.size > 0),
  };
}

/** An attempt's row, and the hidden one below it that says everything. */
function row(one) {
  const id = `attempt-${(made += 1)}`;
  const detail = h("tr", { className: "detail", id, hidden: true });
  const opener = h(
    "button",
    {
      type: "button",
      className: "opener",
      "aria-expanded": "false",
      "aria-controls": id,
      on: {
        click: () => {
          const opens = detail.hidden;
          if (opens && detail.childElementCount === 0) detail.append(h("td", { colSpan: COLUMNS.length }, everything(one)));
          detail.hidden = !opens;
          opener.setAttribute("aria-expanded", String(opens));
        },
      },
    },
    brief(one.at),
  );
  const short = h(
    "tr",
    { className: one.outcome === "delivered" ? "" : "not-delivered" },
    h("th", { scope: "row" }, opener),
    h("td", {}, one.outcome.replace("_", " ")),
    h("td", {}, one.status ?? ""),
    h("td", {}, `${grouped(one.duration_ms)} ms`),
    h("td", {}, grouped(one.events)),
    h("td", {}, one.then),
  );
  return [short, detail];
}
let made = 0;

function everything(one) {
  const facts = [
    ["Time", time(one.at)],
    ["Delivery (webhook-id)", one.delivery],
    ["Made by", one.from === "drain" ? "drain: from what was parked" : "batch: at once, or on the schedule"],
    ["Status", one.status],
    ["Requests", grouped(one.requests)],
    ["Events taken", `${grouped(one.delivered)} of ${grouped(one.events)}`],
    ["Bytes", `${size(one.bytes)}, sent as ${size(one.bytes_sent)}`],
    ["Error", one.error],
    ["What became of it", one.then],
    ["Next try", one.next_at == null ? null : time(one.next_at)],
  ].filter(([, value]) => value);
  return h(
    "div",
    {},
    h("dl", { className: "facts" }, ...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
    h("p", { className: "label" }, "What the endpoint answered"),
    one.answer ? h("pre", { tabIndex: 0 }, one.answer) : h("p", { className: "hint" }, "Nothing that is text."),
  );
}
