// The integrations of a project with their health at a glance: those that are not well come first.

import { get, isGivenUp, page } from "./api.js";
import { badge } from "./badge.js";
import { arrange, button, choice, field, h, say } from "./dom.js";
import { follow } from "./follow.js";
import { trouble } from "./panel.js";
import { age, counted, events, grouped, left, state, why } from "./words.js";

const PART = 100;
/** So many are listed at most, of projects and of integrations. */
const MOST = 1000;
const AT_A_TIME = 6;
/** A look asks for what is in sight, so many at most, and for so many of the others in turn. */
const IN_SIGHT = 60;
const IN_TURN = 20;
/** While all are asked for, they are put into their order after so many answers. */
const STEP = 60;
const UNWELL = ["open", "unknown", "slow", "paused"];
const STATES = [...UNWELL, "well", "disabled", "deleted"];
const COLUMNS = ["Integration", "Health", "Waiting", "Dead", "Expired", "Delivered"];

export async function overview(view, wanted, signal, shown) {
  const [projects, others] = await everything(["projects"], "projects", signal);
  if (signal.aborted) return;
  if (projects.length === 0) {
    view.replaceChildren(h("h1", {}, "No project yet"), h("p", {}, "Create one with POST /v1/projects."));
    return;
  }
  const project = wanted === undefined ? projects[0] : projects.find((one) => one.id === wanted) ?? { id: wanted, name: wanted };
  if (!projects.includes(project)) {
    if (others === null) throw new Error(`There is no project ${wanted}.`);
    projects.push(project);
  }
  shown(project.id);

  const path = ["projects", project.id, "integrations"];
  const known = new Map();
  let isCut = false;
  let looking = new AbortController();
  const { place, run } = trouble(signal);
  const rows = h("tbody");
  const counts = h("ul", { className: "counts", "aria-label": "How many there are" });
  const empty = h("p", { className: "hint", hidden: true });
  const cut = h("p", { className: "hint", hidden: true }, `Only the first ${grouped(MOST)} by name are shown. GET …/integrations lists all of them.`);
  const name = h("input", { type: "search", spellcheck: false, on: { input: () => show() } });
  const health = choice([["", "all"], ["unwell", "not well"], ...STATES.map((one) => [one, state(one)])], "", { change: () => show() });

  async function list(mine) {
    const [integrations, next] = await everything(path, "integrations", mine);
    isCut = next !== null;
    const stay = new Set(integrations.map((one) => one.id));
    for (const id of [...known.keys()]) if (!stay.has(id)) known.delete(id);
    for (const one of integrations) {
      if (!known.has(one.id)) known.set(one.id, row(project.id, one));
      known.get(one.id).rename(one);
    }
    show();
  }

  /** Looks at some: at all of them, or at those that a poll is for. A look that begins ends the one before. */
  async function look(isAll) {
    looking.abort();
    looking = new AbortController();
    const mine = AbortSignal.any([signal, looking.signal]);
    try {
      // All in one part are listed anew each time.
      if (isAll || known.size <= PART) await list(mine);
      const some = isAll ? [...known.values()] : due([...known.values()]);
      for (let from = 0; from < some.length; from += STEP) {
        await ask(some.slice(from, from + STEP), mine);
        show();
      }
    } catch (fault) {
      if (!isGivenUp(fault)) throw fault;
    }
    return !mine.aborted;
  }

  async function ask(some, mine) {
    const waiting = [...some];
    const work = async () => {
      for (let one = waiting.shift(); one; one = waiting.shift()) {
        try {
          one.take(await get([...path, one.id, "status"], {}, mine));
        } catch (fault) {
          if (isGivenUp(fault) || mine.aborted || fault.status === 401) throw fault;
          if (fault.status === 404) known.delete(one.id);
          else one.fail(fault);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
  }

  function show() {
    if (signal.aborted) return;
    const ordered = [...known.values()].sort(byNeed);
    const searched = name.value.trim().toLowerCase();
    const fits = (one) =>
      (health.value === "" || health.value === one.state || (health.value === "unwell" && UNWELL.includes(one.state))) &&
      one.name.toLowerCase().includes(searched);
    const fitting = ordered.filter(fits);
    arrange(rows, fitting.map((one) => one.element));
    const count = (wanted) => ordered.filter((one) => one.state === wanted).length;
    const parts = STATES.map((wanted) => [wanted, count(wanted)]).filter(([, many]) => many > 0);
    counts.replaceChildren(
      h("li", {}, counted(ordered.length, "integration", "integrations")),
      ...parts.map(([wanted, many]) => h("li", {}, badge(wanted), ` ${grouped(many)}`)),
      ...(count("") > 0 ? [h("li", { className: "hint" }, `${grouped(count(""))} not looked at yet`)] : []),
    );
    cut.hidden = !isCut;
    empty.hidden = fitting.length > 0;
    empty.textContent = ordered.length === 0 ? "This project has no integrations." : "No integration is so called, and in that state.";
  }

  const refresh = button("Refresh", async () => {
    if (await run(() => look(true))) say("Refreshed.");
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
    place,
    counts,
    h("div", { className: "tools" }, field("Name", name), field("State", health)),
    h(
      "div",
      { className: "scroll", role: "region", tabIndex: 0, "aria-label": "Integrations" },
      h(
        "table",
        { className: "overview" },
        h("caption", { className: "hidden" }, "Integrations and their health"),
        h("thead", {}, h("tr", {}, ...COLUMNS.map((title) => h("th", { scope: "col" }, title)))),
        rows,
      ),
    ),
    empty,
    cut,
  );
  await run(() => look(true));
  follow(() => run(() => look(false)), signal);
}

/** All items of a list, up to `MOST`, and where more of them begin. */
async function everything(path, field, signal) {
  const found = [];
  let next = null;
  do {
    const [some, after] = await page(path, field, { limit: PART, cursor: next }, signal);
    found.push(...some);
    next = after;
  } while (next !== null && found.length < MOST);
  return [found.slice(0, MOST), next];
}

/** What is not well first, then by name. What nobody has looked at yet is taken for well. */
function byNeed(one, other) {
  const need = ({ state }) => STATES.indexOf(state || "well");
  return need(one) - need(other) || one.name.localeCompare(other.name);
}

/** What is in sight, and of the rest what was not looked at for longest. */
function due(all) {
  const seen = all.filter(({ element }) => {
    const { top, bottom, height } = element.getBoundingClientRect();
    return height > 0 && bottom > 0 && top < innerHeight;
  });
  const sight = new Set(seen.slice(0, IN_SIGHT));
  const rest = all.filter((one) => !sight.has(one)).sort((one, other) => one.lookedAt - other.lookedAt);
  return [...sight, ...rest.slice(0, IN_TURN)];
}

/** An integration's row, which stays the same whatever becomes of it. */
function row(project, { id }) {
  const href = `#/${encodeURIComponent(project)}/${encodeURIComponent(id)}`;
  const [link, what] = [h("a", { href }), h("span", { className: "hint" })];
  const [health, waiting, dead, expired, delivered] = COLUMNS.slice(1).map((name) => h("td", { "data-label": name }));
  health.textContent = "…";
  const made = {
    id,
    name: "",
    state: "",
    lookedAt: 0,
    element: h("tr", {}, h("th", { scope: "row" }, link, what), health, waiting, dead, expired, delivered),
    rename(one) {
      made.name = link.textContent = one.name;
      what.textContent = `${one.preset ?? ""} · ${one.stream ?? ""}`;
    },
    take(status) {
      const total = status.ledger?.total;
      const least = status.backlog?.at_least ? "at least " : "";
      [made.state, made.lookedAt] = [status.state, Date.now()];
      health.replaceChildren(badge(status.state), h("span", { className: "hint" }, why(status)));
      waiting.replaceChildren(`${least}${events(status.backlog?.events ?? 0)}`, h("span", { className: "hint" }, age(status)));
      dead.textContent = events(left(total, "dead"));
      expired.textContent = events(total?.expired ?? 0);
      delivered.textContent = grouped(total?.delivered);
    },
    fail(fault) {
      [made.state, made.lookedAt] = ["unknown", Date.now()];
      health.replaceChildren(badge("unknown"), h("span", { className: "hint" }, fault.message));
    },
  };
  return made;
}
