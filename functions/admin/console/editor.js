// Filter and template, with a preview of what they make of an event while they are written.

import { call, Raw, Refused } from "./api.js";
import { button, choice, field, h, say } from "./dom.js";

const PAUSE_MS = 400;

export function editor(path, read, signal) {
  let { body: saved, etag } = read;
  const area = (rows) => {
    const made = h("textarea", { rows, className: "code" });
    made.spellcheck = false;
    return made;
  };
  const filter = area(8);
  const template = area(12);
  const event = area(6);
  const result = choice([["json", "JSON"], ["text", "text"]], "json");
  const verdict = h("p", { role: "status", "aria-live": "polite" });
  const payload = h("pre", { tabIndex: 0, role: "region", "aria-label": "What would be sent" });
  const goTo = button("Go to the fault", async () => goTo.target?.(), { hidden: true });
  let asking = new AbortController();
  let timer = 0;

  const put = () => {
    filter.value = saved.filter ? JSON.stringify(saved.filter, null, 2) : "";
    template.value = saved.template ?? "";
    result.value = saved.template_result ?? "json";
  };

  /** What the fields say, or where one of them is no JSON. */
  const typed = () => {
    const given = { filter: json(filter, "filter"), template: template.value === "" ? null : template.value };
    given.template_result = given.template === null ? null : result.value;
    return given;
  };

  async function preview() {
    asking.abort();
    asking = new AbortController();
    const { signal: mine } = asking;
    goTo.hidden = true;
    try {
      const own = json(event, "event");
      const body = { ...typed(), ...(own === null ? {} : { event: own }) };
      const shown = await call("POST", [...path, "preview"], { body, signal: mine });
      if (mine.aborted) return;
      payload.textContent = shown.payload ?? "";
      if (shown.fault) tellFault(shown.fault);
      else tell(shown.matches ? "The filter wants this event." : "The filter does not want this event.", shown.matches ? "good" : "");
    } catch (fault) {
      if (mine.aborted || signal.aborted) return;
      payload.textContent = "";
      tell(fault.message, "fault");
    }
  }

  const tell = (text, kind) => {
    verdict.className = kind;
    verdict.textContent = text;
  };

  const tellFault = ({ field: name, line, column, path: inside, detail }) => {
    const at = [line && `line ${line}`, column && `column ${column}`, inside].filter(Boolean).join(", ");
    tell(`${name === "filter" ? "Filter" : "Template"}${at ? `, ${at}` : ""}: ${detail}`, "fault");
    const area = name === "filter" ? filter : template;
    area.setAttribute("aria-invalid", "true");
    if (line) {
      goTo.hidden = false;
      goTo.target = () => select(area, line, column ?? 1);
    }
  };

  const later = () => {
    for (const one of [filter, template, event]) one.removeAttribute("aria-invalid");
    clearTimeout(timer);
    timer = setTimeout(preview, PAUSE_MS);
  };
  for (const one of [filter, template, event, result]) one.addEventListener("input", later);
  signal.addEventListener("abort", () => (clearTimeout(timer), asking.abort()));

  const save = button(
    "Save",
    async () => {
      const body = changes(typed(), saved);
      if (Object.keys(body).length === 0) {
        say("Nothing was changed.");
        return;
      }
      try {
        ({ body: saved, etag } = await call("PATCH", path, { body, etag, whole: true }));
      } catch (fault) {
        if (!(fault instanceof Refused) || fault.status !== 412) throw fault;
        throw new Error("Somebody else changed this integration meanwhile. Copy what you wrote, and load what is saved.");
      }
      say(`Saved as version ${saved.version}. Functions learn of it within 30 s.`);
    },
    { className: "primary" },
  );
  const load = button("Load what is saved", async () => {
    ({ body: saved, etag } = await call("GET", path, { whole: true }));
    put();
    await preview();
    say(`Loaded version ${saved.version}.`);
  });

  put();
  preview();
  return h(
    "div",
    { className: "editor" },
    h(
      "div",
      {},
      field("Filter", filter, "An event pattern, as JSON. Every event is wanted if empty."),
      field("Template", template, "FreeMarker's subset. Events are sent as they are if empty."),
      field("The template makes", result),
      h("div", { className: "tools" }, save, load),
    ),
    h(
      "div",
      {},
      field("Sample event", event, "JSON. A sample of the stream if empty."),
      h("p", { className: "label" }, "Preview"),
      verdict,
      goTo,
      payload,
    ),
  );
}

function json(area, name) {
  if (area.value.trim() === "") return null;
  try {
    return new Raw(area.value);
  } catch (fault) {
    area.setAttribute("aria-invalid", "true");
    throw new Error(`The ${name} is not JSON: ${fault.message}`);
  }
}

/** Only what differs from what is saved, so that nothing else is written. */
function changes(typed, saved) {
  const same = (one, other) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
  const body = {};
  if (!same(typed.filter?.value, saved.filter)) body.filter = typed.filter;
  if (!same(typed.template, saved.template)) body.template = typed.template;
  const was = saved.template ? saved.template_result ?? "json" : null;
  if (!same(typed.template_result, was)) body.template_result = typed.template_result;
  return body;
}

/** Puts the cursor at a line and column, both from 1. */
function select(area, line, column) {
  const lines = area.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
  area.focus();
  area.setSelectionRange(start, Math.min(start + 1, area.value.length));
}
