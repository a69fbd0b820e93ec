// What lies aside: dead deliveries, which wait to be replayed, and parked ones, which drain by themselves.

import { call, page, post } from "./api.js";
import { dialog } from "./dialog.js";
import { arrange, button, choice, field, h, say } from "./dom.js";
import { Order } from "./order.js";
import { indent, parts } from "./rawjson.js";
import { events, time } from "./words.js";

const PART = 20;
/** So many are listed at most, and read again at each look. */
const MOST = 200;
const LARGEST_PART = 100;

export function deliveries(path, signal, run, changed) {
  let state = "dead";
  let wanted = PART;
  const order = new Order();
  const items = new Map();
  const list = h("ul", { className: "rows" });
  const empty = h("p", { className: "hint", hidden: true });
  const full = h("p", { className: "hint", hidden: true }, `The oldest ${MOST} are shown. GET …/deliveries lists all of them.`);
  const more = button("Show younger", () => run(async () => ((wanted += PART), await load())), { hidden: true });

  async function load() {
    const mine = order.begin();
    const asked = state;
    const read = [];
    let cursor = null;
    do {
      const limit = Math.min(LARGEST_PART, wanted - read.length);
      const [some, after] = await page([...path, "deliveries"], "deliveries", { state: asked, cursor, limit }, signal);
      if (signal.aborted) return;
      read.push(...some);
      cursor = after;
    } while (cursor !== null && read.length < wanted);
    if (order.takes(mine)) show(read, cursor !== null);
  }

  /** Those that were listed before stay as they are. */
  function show(read, isMore) {
    const held = list.contains(document.activeElement);
    const stay = new Set(read.map((one) => one.id));
    for (const id of [...items.keys()]) if (!stay.has(id)) items.delete(id);
    for (const one of read) if (!items.has(one.id)) items.set(one.id, item(one));
    arrange(list, read.map((one) => items.get(one.id)));
    full.hidden = !isMore || read.length < MOST;
    more.hidden = !isMore || !full.hidden;
    empty.hidden = read.length > 0;
    empty.textContent = state === "dead" ? "Nothing is dead." : "Nothing is parked.";
    if (held && !list.contains(document.activeElement)) choose.focus();
  }

  const item = (one) =>
    h(
      "li",
      {},
      h("span", {}, `${time(one.at)}, ${events(one.events)}`),
      h("code", {}, one.delivery),
      h(
        "span",
        { className: "tools" },
        button("Show events", () => unlessGone(() => read(one)), { "aria-label": `Show the events of ${one.delivery}` }),
        one.state === "dead" &&
          button("Replay", () => unlessGone(() => replay(one)), { "aria-label": `Replay ${one.delivery}` }),
      ),
    );

  async function replay(one) {
    await post([...path, "deliveries", "dead", one.id, "replay"], {}, signal);
    order.changed();
    say(`Replayed ${events(one.events)}.`);
    await changed();
    choose.focus();
  }

  async function read(one) {
    const whole = await call("GET", [...path, "deliveries", one.state, one.id], { whole: true, signal });
    const stored = parts(parts(whole.text).get("payload") ?? "[]");
    if (signal.aborted) return;
    dialog(
      `${events(one.events)} of ${time(one.at)}`,
      h("p", { className: "hint" }, "As they are stored, before template and form; only the line breaks are the console's."),
      h("pre", { tabIndex: 0, role: "region", "aria-label": "Events" }, [...stored.values()].map(indent).join("\n")),
    );
  }

  /** Others replay and purge too, and what is parked is delivered. */
  async function unlessGone(act) {
    try {
      await act();
    } catch (fault) {
      if (fault.status !== 404) throw fault;
      order.changed();
      say("It is gone meanwhile: it was replayed, delivered or purged, or its time was over.");
      await run(load);
    }
  }

  const choose = choice([["dead", "dead"], ["parked", "parked"]], state, {
    change: async (event) => {
      state = event.target.value;
      wanted = PART;
      order.changed();
      show([], false);
      empty.hidden = true;
      await run(load);
    },
  });
  return { element: h("div", {}, field("State", choose), list, empty, more, full), refresh: load };
}
