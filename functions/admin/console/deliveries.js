// What lies aside: dead deliveries, which wait to be replayed, and parked ones, which drain by themselves.

import { get, page, post } from "./api.js";
import { button, choice, dialog, field, h, say } from "./dom.js";
import { events, grouped, time } from "./words.js";

const PART = 20;

export function deliveries(path, signal, changed) {
  let state = "dead";
  let next = null;
  const list = h("ul", { className: "rows" });
  const empty = h("p", { className: "hint", hidden: true });
  const more = button("Show younger", () => load(next), { hidden: true });

  async function load(cursor) {
    const wanted = state;
    const [some, after] = await page([...path, "deliveries"], "deliveries", { state, cursor, limit: PART });
    if (signal.aborted || wanted !== state) return;
    if (cursor === null) list.replaceChildren();
    next = after;
    more.hidden = next === null;
    list.append(...some.map(item));
    empty.hidden = list.childElementCount > 0;
    empty.textContent = state === "dead" ? "Nothing is dead." : "Nothing is parked.";
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
        button("Show events", () => show(one), { "aria-label": `Show the events of ${one.delivery}` }),
        one.state === "dead" &&
          button(
            "Replay",
            async () => {
              await post([...path, "deliveries", "dead", one.id, "replay"]);
              say(`Replayed ${events(one.events)}.`);
              await Promise.all([load(null), changed()]);
              choose.focus();
            },
            { "aria-label": `Replay ${one.delivery}` },
          ),
      ),
    );

  async function show(one) {
    const whole = await get([...path, "deliveries", one.state, one.id]);
    dialog(
      `${grouped(one.events)} ${one.events === 1 ? "event" : "events"} of ${time(one.at)}`,
      h("p", { className: "hint" }, "As they are stored, before template and form."),
      h("pre", { tabIndex: 0, role: "region", "aria-label": "Events" }, (whole.payload ?? []).map((event) => JSON.stringify(event, null, 2)).join("\n")),
    );
  }

  const choose = choice([["dead", "dead"], ["parked", "parked"]], state, {
    change: async (event) => {
      state = event.target.value;
      await load(null);
    },
  });
  return { element: h("div", {}, field("State", choose), list, empty, more), refresh: () => load(null) };
}
