// The attempts of an integration, newest first: what was tried, and what the endpoint answered.

import { page } from "./api.js";
import { button, choice, field, h } from "./dom.js";
import { brief, grouped, size, time } from "./words.js";

const PART = 20;
/** So many are listed at most: a page that stays open for a day must not grow for a day. */
const MOST = 500;
/** A look at what is new takes parts of this many, and so many of them at most. */
const FRESH_PART = 100;
const FRESH_PARTS = 5;
/** Records are written when the function that made the attempts ends, after 120 s at most: so far back a late one may be. */
const LATE_MS = 150_000;
const OUTCOMES = ["delivered", "failed", "waiting", "gone", "too_large", "unanswered", "unfinished"];
const COLUMNS = ["When", "Outcome", "Status", "Latency", "Events", "Then"];

export function attempts(path, signal, run) {
  // The listed ones, in their order, and by their names.
  let listed = [];
  const known = new Set();
  let next = null;
  // When the newest was made, of whatever outcome, when it was last looked: what is new is later, or came late.
  let newest = null;
  let outcome = "";
  // Grows when another outcome is chosen: then answers for the one before are dropped.
  let turn = 0;
  const rows = h("tbody");
  const empty = h("p", { className: "hint", hidden: true });
  const gap = h("p", { className: "hint", hidden: true }, "More came than one look takes: some of the newest may be missing.");
  const full = h("p", { className: "hint", hidden: true }, `The newest ${MOST} are shown. GET …/attempts lists all that are kept.`);
  const older = button("Show older", () => run(more), { hidden: true });
  const filter = choice([["", "all"], ...OUTCOMES.map((name) => [name, name.replace("_", " ")])], "", {
    change: async (event) => {
      outcome = event.target.value;
      turn += 1;
      clear(null);
      newest = null;
      await run(refresh);
    },
  });

  /** Reads part after part until `isEnough`; nothing where nobody waits for it any more. */
  async function read(query, cursor, isEnough) {
    const mine = turn;
    const found = [];
    for (let count = 1; ; count += 1) {
      const [some, after] = await page([...path, "attempts"], "attempts", { outcome, ...query, cursor }, signal);
      if (signal.aborted || mine !== turn) return null;
      found.push(...some);
      cursor = after;
      if (cursor === null || count === FRESH_PARTS || isEnough(found)) return { found, after };
    }
  }

  /** When the newest of whatever outcome was made. */
  async function latest() {
    const [[one]] = await page([...path, "attempts"], "attempts", { limit: 1 }, signal);
    return one?.at ?? null;
  }

  /** The next older ones. With an outcome a part may have none, and others behind it. */
  async function more() {
    const answer = await read({ limit: PART }, next, (found) => found.length > 0);
    if (answer === null) return false;
    answer.found.forEach(put);
    next = answer.after;
    shown();
    return true;
  }

  /** What is new, and what came late. What was listed stays, and so does where "Show older" goes on. */
  async function refresh() {
    const mine = turn;
    // Where those of one outcome are rare, none of them says how far this look goes.
    const now = outcome === "" ? null : await latest();
    if (signal.aborted || mine !== turn) return;
    if (newest === null) {
      next = null;
      if (await more()) newest = now ?? listed[0]?.one.at ?? null;
      return;
    }
    const from = Math.max(0, newest - LATE_MS);
    const answer = await read({ from, limit: FRESH_PART }, null, () => false);
    if (answer === null) return;
    const { found, after } = answer;
    newest = now ?? found[0]?.at ?? newest;
    // Those between them and the listed ones are missing.
    const isCut = after !== null && !found.some((one) => known.has(one.id));
    const isFlood = isCut && found.length >= MOST;
    // So many came that the list begins anew.
    if (isFlood) clear(after);
    gap.hidden = gap.hidden && (!isCut || isFlood);
    // Older ones than the last are left to the button, which goes on behind it.
    const last = next === null ? null : listed.at(-1)?.one;
    found.filter((one) => !last || isNewer(one, last)).forEach(put);
    shown();
  }

  /** In its place, whenever it came. */
  function put(one) {
    if (known.has(one.id)) return;
    known.add(one.id);
    const made = { one, rows: row(one) };
    // What is new belongs near the top, what is older at the end.
    let place = listed.length;
    if (listed.length && isNewer(one, listed.at(-1).one)) place = listed.findIndex((other) => isNewer(one, other.one));
    const behind = listed[place]?.rows[0] ?? null;
    for (const part of made.rows) rows.insertBefore(part, behind);
    listed.splice(place, 0, made);
  }

  function clear(cursor) {
    listed = [];
    known.clear();
    rows.replaceChildren();
    gap.hidden = true;
    next = cursor;
  }

  function shown() {
    for (const { one, rows } of listed.splice(MOST)) {
      known.delete(one.id);
      rows.forEach((part) => part.remove());
    }
    const isFull = listed.length === MOST;
    full.hidden = !isFull;
    older.hidden = isFull || next === null;
    empty.hidden = listed.length > 0;
    empty.textContent = next === null ? "No attempts, or none that are still kept." : "None among the newest. There may be older ones.";
  }

  return {
    element: h(
      "div",
      {},
      field("Outcome", filter),
      gap,
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
      full,
    ),
    refresh,
  };
}

/** The order of the list: by time, and at the same time by name. */
const isNewer = (one, other) => (one.at === other.at ? one.id > other.id : one.at > other.at);

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
