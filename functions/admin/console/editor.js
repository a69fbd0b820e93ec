// Filter and template, with a preview of what they make of an event while they are written.

import { call, isGivenUp, Raw, Refused, session } from "./api.js";
import { button, choice, field, h, say } from "./dom.js";
import { indent, isSame, parts } from "./rawjson.js";
import { changed, mayLose, watch } from "./unsaved.js";

const PAUSE_MS = 400;

export function editor(path, read, signal) {
  let saved;
  let etag;
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

  // What the fields said when they were last as saved.
  let put;
  const fields = () => ({ filter: filter.value, template: template.value, result: result.value });
  const isChanged = (name) => fields()[name] !== put[name];
  const isUnsaved = () => Object.keys(put).some(isChanged);

  /** What the API has, as it came: the filter's numbers are those of its text. */
  const take = (read) => {
    ({ body: saved, etag } = read);
    saved.raw = parts(read.text).get("filter") ?? "null";
  };

  const fillIn = () => {
    filter.value = saved.filter ? indent(saved.raw) : "";
    template.value = saved.template ?? "";
    result.value = saved.template_result ?? "json";
    put = fields();
    changed();
  };

  /** What the fields say, or where one of them is no JSON. */
  const typed = () => {
    const given = { filter: json(filter, "filter"), template: written() };
    given.template_result = given.template === null ? null : result.value;
    return given;
  };

  /** The template. A field knows one kind of line's end alone: another kind stays what it was. */
  const written = () => {
    if (!isChanged("template")) return saved.template ?? null;
    if (template.value === "") return null;
    const isWindows = /\r\n/.test(saved.template ?? "") && !/(^|[^\r])\n/.test(saved.template);
    return isWindows ? template.value.replaceAll("\n", "\r\n") : template.value;
  };

  /** Only what the operator changed, so that nothing else is written. */
  const changes = () => {
    const given = typed();
    const body = {};
    if (isChanged("filter") && !isSame(given.filter?.text ?? "null", saved.raw)) body.filter = given.filter;
    if (given.template !== (saved.template ?? null)) body.template = given.template;
    const was = saved.template ? saved.template_result ?? "json" : null;
    if ((isChanged("template") || isChanged("result")) && given.template_result !== was) body.template_result = given.template_result;
    return body;
  };

  async function preview() {
    asking.abort();
    asking = new AbortController();
    const { signal: mine } = asking;
    goTo.hidden = true;
    try {
      const own = json(event, "event");
      const body = { ...typed(), ...(own === null ? {} : { event: own }) };
      const shown = await call("POST", [...path, "preview"], { body, signal: AbortSignal.any([mine, signal]) });
      if (mine.aborted) return;
      payload.textContent = shown.payload ?? "";
      if (shown.fault) tellFault(shown.fault);
      else tell(shown.matches ? "The filter wants this event." : "The filter does not want this event.", shown.matches ? "good" : "");
    } catch (fault) {
      if (mine.aborted || isGivenUp(fault)) return;
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
  for (const one of [filter, template, event, result]) one.addEventListener("input", () => (later(), changed()));
  session.addEventListener("found", preview, { signal });
  signal.addEventListener("abort", () => (clearTimeout(timer), asking.abort()));

  const save = button(
    "Save",
    async () => {
      const body = changes();
      const sent = fields();
      if (Object.keys(body).length === 0) {
        put = sent;
        changed();
        say("Nothing was changed.");
        return;
      }
      try {
        take(await call("PATCH", path, { body, etag, whole: true, signal }));
      } catch (fault) {
        if (!(fault instanceof Refused) || fault.status !== 412) throw fault;
        throw new Error("Somebody else changed this integration meanwhile. Copy what you wrote, and load what is saved.");
      }
      put = sent;
      changed();
      say(`Saved as version ${saved.version}. Functions learn of it within 30 s.`);
    },
    { className: "primary" },
  );
  const load = button("Load what is saved", async () => {
    if (!(await mayLose())) return;
    take(await call("GET", path, { whole: true, signal }));
    fillIn();
    await preview();
    say(`Loaded version ${saved.version}.`);
  });

  take(read);
  fillIn();
  watch(isUnsaved, signal);
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

/** Puts the cursor at a line and column, both from 1. */
function select(area, line, column) {
  const lines = area.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
  area.focus();
  area.setSelectionRange(start, Math.min(start + 1, area.value.length));
}
