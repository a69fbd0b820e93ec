// One integration: its state, what can be done about it, what was tried, what lies there, and how it shapes events.

import { attempts } from "./attempts.js";
import { call, get } from "./api.js";
import { badge } from "./badge.js";
import { deliveries } from "./deliveries.js";
import { button, h, say } from "./dom.js";
import { editor } from "./editor.js";
import { follow } from "./follow.js";
import { hours } from "./hours.js";
import { latency } from "./latency.js";
import { Order } from "./order.js";
import { panel, section, trouble } from "./panel.js";
import { pause, resume } from "./pausing.js";
import { replay } from "./replay.js";
import { test } from "./trial.js";
import * as words from "./words.js";

export async function integration(view, project, id, signal, named) {
  const path = ["projects", project, "integrations", id];
  const [read, first] = await Promise.all([call("GET", path, { whole: true, signal }), get([...path, "status"], {}, signal)]);
  if (signal.aborted) return;
  named(read.body.name);

  let status = first;
  const order = new Order();
  const summary = h("div", { className: "summary" });
  const { place, run } = trouble(signal);
  const byHour = hours(signal);
  const tools = h("div", { className: "tools", role: "group", "aria-label": "Actions" });
  const took = panel("Latency", signal, () => latency(path, signal));
  const tried = panel("Attempts", signal, (run) => attempts(path, signal, run));
  const aside = panel("Dead and parked deliveries", signal, (run) => deliveries(path, signal, run, () => look()));

  const paint = () => {
    summary.replaceChildren(...told(status));
    byHour.draw(status.ledger?.hours ?? []);
    // The one that makes sense now; where somebody else paused or resumed, the focus goes along.
    const hidden = status.state === "paused" ? halt : go;
    const shown = hidden === halt ? go : halt;
    const held = document.activeElement === hidden;
    [shown.hidden, hidden.hidden] = [false, true];
    if (held) shown.focus();
  };
  const health = async () => {
    const mine = order.begin();
    const fresh = await get([...path, "status"], {}, signal);
    if (signal.aborted || !order.takes(mine)) return;
    status = fresh;
    paint();
  };
  /** Whether all of it went well; what did not says so in its place. */
  const look = async () => {
    const done = await Promise.all([run(health), took.refresh(), tried.refresh(), aside.refresh()]);
    return done.every(Boolean);
  };
  // The operator changed something: what was asked for before does not know of it.
  const changed = async (fresh) => {
    if (signal.aborted) return;
    order.changed();
    if (fresh) {
      status = fresh;
      paint();
    } else {
      await run(health);
    }
  };

  const halt = button("Pause", async () => pause(path, signal, async (fresh) => (await changed(fresh), go.focus())));
  const go = button("Resume", async () => resume(path, signal, status, async (fresh) => (await changed(fresh), halt.focus())));
  tools.append(
    halt,
    go,
    button("Send a test", async () => test(path, signal, read.body.name)),
    button("Replay dead deliveries", async () => replay(path, signal, look)),
    button("Refresh", async () => (await look()) && say("Refreshed.")),
  );

  view.replaceChildren(
    h("div", { className: "head" }, h("div", {}, h("h1", {}, read.body.name), h("p", { className: "hint url" }, read.body.url)), tools),
    h("div", {}, place, summary),
    section("Events by hour", byHour.element),
    took.element,
    tried.element,
    aside.element,
    section("Filter and template", editor(path, read, signal)),
  );
  paint();
  await Promise.all([took.refresh(), tried.refresh(), aside.refresh()]);
  follow(look, signal);
}

function told(status) {
  const total = status.ledger?.total ?? {};
  const backlog = status.backlog ?? {};
  const least = backlog.at_least ? "at least " : "";
  const parked = `${least}${words.events(backlog.events ?? 0)} in ${words.deliveries(backlog.deliveries ?? 0)}`;
  const facts = [
    ["Delivered", words.grouped(total.delivered)],
    ["Waiting for another try", words.grouped(words.left(total, "scheduled"))],
    ["Parked", [parked, words.age(status)].filter(Boolean).join(", ")],
    ["Dead", words.grouped(words.left(total, "dead"))],
    ["Expired", words.grouped(total.expired)],
    ["Discarded", words.grouped(total.discarded)],
    ["Not wanted by the filter", words.grouped(total.filtered)],
    ["Ledger", status.ledger?.balances ? "balances" : "does not balance at this moment"],
  ];
  return [
    h("p", { className: "health" }, badge(status.state), " ", words.why(status)),
    h("dl", { className: "facts" }, ...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
  ];
}
