// The test send: one event now, by the real path, and what came of it.

import { isGivenUp, post, Raw } from "./api.js";
import { dialog } from "./dialog.js";
import { button, field, h, say } from "./dom.js";
import { grouped } from "./words.js";

export function test(path, signal, name) {
  const event = h("textarea", { rows: 5, className: "code" });
  event.spellcheck = false;
  const result = h("div", { className: "result", role: "status" });
  const act = button(
    "Send",
    async () => {
      let body = {};
      if (event.value.trim()) {
        try {
          body = { event: new Raw(event.value) };
        } catch (fault) {
          result.replaceChildren(h("p", { className: "fault" }, `The event is not JSON: ${fault.message}`));
          event.focus();
          return;
        }
      }
      result.replaceChildren(h("p", { className: "hint" }, "Sending …"));
      try {
        const tested = await post([...path, "test"], body, signal);
        result.replaceChildren(...told(tested));
        say(verdict(tested));
      } catch (fault) {
        if (!isGivenUp(fault)) result.replaceChildren(h("p", { className: "fault" }, fault.message));
      }
    },
    { className: "primary" },
  );
  dialog(
    `Send a test to ${name}`,
    h("p", {}, "It goes by the real path, filter, template and signature included; health and ledger hear nothing of it."),
    field("Event", event, "JSON. A sample of the stream if empty."),
    h("div", { className: "tools" }, act),
    result,
  );
  act.focus();
}

function verdict(tested) {
  if (tested.filtered) return "The filter does not want this event: nothing was sent.";
  if (!tested.outcome) return `Nothing was sent: ${tested.error ?? "no reason was given"}`;
  return `${tested.outcome.replace("_", " ")} in ${grouped(tested.duration_ms)} ms`;
}

function told(tested) {
  const parts = [h("p", { className: tested.outcome === "delivered" ? "good" : "fault" }, verdict(tested))];
  if (tested.answer) {
    const wait = tested.answer.retry_after ? `\nretry-after: ${tested.answer.retry_after}` : "";
    parts.push(h("h3", {}, "Answer"), block(`${tested.answer.status}${wait}\n\n${tested.answer.body ?? ""}`, "The answer"));
  } else if (tested.error && tested.outcome) {
    parts.push(h("p", { className: "fault" }, tested.error));
  }
  if (tested.request) {
    const { method, url, headers = {}, body } = tested.request;
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    parts.push(h("h3", {}, "Request"), block([`${method} ${url}`, ...lines, "", body ?? ""].join("\n"), "The request"));
  }
  return parts;
}

const block = (text, label) => h("pre", { tabIndex: 0, role: "region", "aria-label": label }, text);
