// One integration: its state, what can be done about it, what was tried, what lies there, and how it shapes events.

import { attempts } from "./attempts.js";
import { call, get } from "./api.js";
import { chart, redrawn } from "./chart.js";
import { deliveries } from "./deliveries.js";
import { button, h, say } from "./dom.js";
import { editor } from "./editor.js";
import { pause, resume } from "./pausing.js";
import { replay } from "./replay.js";
import { badge } from "./overview.js";
import { test } from "./trial.js";
import * as words from "./words.js";

const EVERY_MS = 10_000;

export async function integration(view, project, id, signal, named) {
  const path = ["projects", project, "integrations", id];
  const [read, first] = await Promise.all([call("GET", path, { whole: true }), get([...path, "status"])]);
  if (signal.aborted) return;
  named(read.body.name);

  let status = first;
  const summary = h("div", { className: "summary" });
  const hours = h("div");
  const tools = h("div", { className: "tools", role: "group", "aria-label": "Actions" });
  const tried = panel("Attempts", attempts(path, signal));
  const aside = panel("Dead and parked deliveries", deliveries(path, signal, () => refresh()));

  const paint = () => {
    summary.replaceChildren(...told(status));
    chart(hours, status.ledger?.hours ?? []);
    // The one that makes sense now; the focus stays where it was if its button stays.
    halt.hidden = status.state === "paused";
    go.hidden = !halt.hidden;
  };
  const take = (fresh) => {
    if (signal.aborted) return;
    status = fresh;
    paint();
  };
  const refresh = async () => {
    take(await get([...path, "status"]));
    await tried.refresh();
  };

  const halt = button("Pause", async () => pause(path, async (fresh) => (take(fresh), go.focus())));
  const go = button("Resume", async () =>
    resume(path, status, async (fresh) => (take(fresh ?? (await get([...path, "status"]))), halt.focus())),
  );
  tools.append(
    halt,
    go,
    button("Send a test", async () => test(path, read.body.name)),
    button("Replay dead deliveries", async () => replay(path, async () => (await refresh(), await aside.refresh()))),
    button("Refresh", async () => (await refresh(), await aside.refresh(), say("Refreshed."))),
  );

  view.replaceChildren(
    h("div", { className: "head" }, h("div", {}, h("h1", {}, read.body.name), h("p", { className: "hint url" }, read.body.url)), tools),
    summary,
    section("Events by hour", hours),
    tried.element,
    aside.element,
    section("Filter and template", editor(path, read, signal)),
  );
  paint();
  redrawn(hours, () => chart(hours, status.ledger?.hours ?? []), signal);
  await Promise.all([tried.refresh(), aside.refresh()]);
  follow(refresh, signal);
}

/** Looks anew every few seconds while the page is in sight. */
function follow(refresh, signal) {
  const timer = setInterval(async () => {
    if (document.visibilityState !== "visible") return;
    try {
      await refresh();
    } catch (fault) {
      if (!signal.aborted) say(fault.message, true);
    }
  }, EVERY_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** A part that is loaded by itself: where that fails, it says so, and all others stay. */
function panel(title, part) {
  const fault = h("p", { className: "fault", role: "alert" });
  return {
    element: section(title, fault, part.element),
    async refresh() {
      try {
        await part.refresh();
        fault.textContent = "";
      } catch (failed) {
        fault.textContent = failed.message;
      }
    },
  };
}

function section(title, ...content) {
  return h("section", {}, h("h2", {}, title), ...content);
}

function told(status) {
  const total = status.ledger?.total ?? {};
  const backlog = status.backlog ?? {};
  const least = backlog.at_least ? "at least " : "";
  const facts = [
    ["Delivered", words.grouped(total.delivered)],
    ["Waiting for another try", words.grouped(words.left(total, "scheduled"))],
    ["Parked", `${least}${words.events(backlog.events ?? 0)} in ${words.deliveries(backlog.deliveries ?? 0)}`],
    ["Dead", words.grouped(words.left(total, "dead"))],
    ["Expired or discarded", words.grouped((total.expired ?? 0) + (total.discarded ?? 0))],
    ["Not wanted by the filter", words.grouped(total.filtered)],
    ["Ledger", status.ledger?.balances ? "balances" : "does not balance at this moment"],
  ];
  return [
    h("p", { className: "health" }, badge(status.state), " ", words.why(status)),
    h("dl", { className: "facts" }, ...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
  ];
}
