// The integrations of a project with their health, in parts.

import { page, get } from "./api.js";
import { button, choice, field, h, say } from "./dom.js";
import { events, grouped, left, state, why } from "./words.js";

const PART = 50;
const AT_A_TIME = 6;

export async function overview(view, wanted, signal, shown) {
  const projects = await everything(["projects"], "projects");
  if (projects.length === 0) {
    view.replaceChildren(h("h1", {}, "No project yet"), h("p", {}, "Create one with POST /v1/projects."));
    return;
  }
  const project = projects.find((one) => one.id === wanted) ?? (wanted === undefined ? projects[0] : undefined);
  if (!project) throw new Error(`There is no project ${wanted}.`);
  shown(project.id);

  const rows = h("tbody");
  const empty = h("p", { className: "hint", hidden: true }, "This project has no integrations.");
  const more = button("Show more", () => load(), { hidden: true });
  let next = null;

  async function load() {
    const path = ["projects", project.id, "integrations"];
    const [integrations, after] = await page(path, "integrations", { limit: PART, cursor: next });
    if (signal.aborted) return;
    next = after;
    more.hidden = next === null;
    const fresh = integrations.map((one) => [one, row(project.id, one)]);
    rows.append(...fresh.map(([, made]) => made.row));
    empty.hidden = rows.childElementCount > 0;
    await health(project.id, fresh, signal);
  }

  const refresh = button("Refresh", async () => {
    next = null;
    rows.replaceChildren();
    await load();
    say("Refreshed.");
  });
  const switcher =
    projects.length > 1 &&
    field(
      "Project",
      choice(
        projects.map((one) => [one.id, one.name === one.id ? one.id : `${one.name} (${one.id})`]),
        project.id,
        { change: (event) => (location.hash = `#/${encodeURIComponent(event.target.value)}`) },
      ),
    );
  view.replaceChildren(
    h("div", { className: "head" }, h("h1", {}, project.name ?? project.id), h("div", { className: "tools" }, switcher, refresh)),
    h(
      "div",
      { className: "scroll", role: "region", tabIndex: 0, "aria-label": "Integrations" },
      h(
        "table",
        { className: "overview" },
        h("caption", { className: "hidden" }, "Integrations and their health"),
        h("thead", {}, h("tr", {}, ...["Integration", "Health", "Waiting", "Dead", "Delivered"].map((name) => h("th", { scope: "col" }, name)))),
        rows,
      ),
    ),
    empty,
    more,
  );
  await load();
}

async function everything(path, field) {
  const found = [];
  let next = null;
  do {
    const [some, after] = await page(path, field, { limit: 100, cursor: next });
    found.push(...some);
    next = after;
  } while (next !== null);
  return found;
}

function row(project, one) {
  const href = `#/${encodeURIComponent(project)}/${encodeURIComponent(one.id)}`;
  const cells = {
    health: h("td", { "data-label": "Health" }, "…"),
    waiting: h("td", { "data-label": "Waiting" }),
    dead: h("td", { "data-label": "Dead" }),
    delivered: h("td", { "data-label": "Delivered" }),
  };
  const what = `${one.preset ?? ""} · ${one.stream ?? ""}`;
  const name = h("th", { scope: "row" }, h("a", { href }, one.name), h("span", { className: "hint" }, what));
  return { cells, row: h("tr", {}, name, ...Object.values(cells)) };
}

async function health(project, fresh, signal) {
  const waiting = [...fresh];
  const work = async () => {
    for (let next = waiting.shift(); next && !signal.aborted; next = waiting.shift()) {
      const [one, { cells }] = next;
      try {
        const status = await get(["projects", project, "integrations", one.id, "status"]);
        const total = status.ledger?.total;
        cells.health.replaceChildren(badge(status.state), h("span", { className: "hint" }, why(status)));
        const least = status.backlog?.at_least ? "at least " : "";
        cells.waiting.textContent = `${least}${events(status.backlog?.events ?? 0)}`;
        cells.dead.textContent = events(left(total, "dead"));
        cells.delivered.textContent = grouped(total?.delivered);
      } catch (fault) {
        cells.health.textContent = fault.message;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
}

/** The state in a word, with a shape besides the colour. */
export function badge(name) {
  return h("span", { className: `badge ${name}` }, state(name));
}
