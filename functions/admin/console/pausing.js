// Pausing and resuming, each with its dialog.

import { post } from "./api.js";
import { dialog } from "./dialog.js";
import { button, field, h, say } from "./dom.js";
import { sweep } from "./replay.js";
import { deliveries, events } from "./words.js";

export function pause(path, signal, taken) {
  const reason = h("input", { type: "text", maxLength: 256 });
  const act = button(
    "Pause",
    async () => {
      const status = await post([...path, "pause"], reason.value.trim() ? { reason: reason.value.trim() } : {}, signal);
      shown.close();
      say("Paused. What arrives is laid aside.");
      await taken(status);
    },
    { className: "primary" },
  );
  reason.addEventListener("keydown", (event) => event.key === "Enter" && act.click());
  const shown = dialog(
    "Pause",
    h("p", {}, "No attempt starts more than 5 s later, and everything that arrives is parked until you resume. Nothing is lost."),
    field("Reason", reason, "Shown to whoever looks at the status; may be left empty."),
    h("div", { className: "tools" }, act),
  );
  reason.focus();
}

export function resume(path, signal, status, taken) {
  const waits = `${events(status.backlog?.events ?? 0)} in ${deliveries(status.backlog?.deliveries ?? 0)}`;
  const result = h("p", { role: "status" });
  const backlog = button(
    "Resume and deliver the backlog",
    async () => {
      const fresh = await post([...path, "resume"], {}, signal);
      shown.close();
      say("Resumed. The backlog drains, oldest first.");
      await taken(fresh);
    },
    { className: "primary" },
  );
  const drop = button(
    "Drop them and resume",
    async () => {
      const dropped = await sweep([...path, "resume"], { from: "now" }, result, signal);
      shown.close();
      say(`Resumed; dropped ${deliveries(dropped.deliveries)} with ${events(dropped.events)}.`);
      await taken(null);
    },
    { className: "danger", hidden: true },
  );
  const count = button("Count what dropping the backlog would lose", async () => {
    const would = await post([...path, "resume"], { from: "now", dry_run: true }, signal);
    const least = would.done ? "" : "at least ";
    result.textContent = `This would drop ${least}${deliveries(would.deliveries)} with ${events(would.events)}, for good.`;
    drop.hidden = false;
    drop.focus();
  });
  const shown = dialog(
    "Resume",
    h("p", {}, `Parked: ${waits}.`),
    h("div", { className: "tools" }, backlog),
    h("h3", {}, "Or start from now"),
    h("p", { className: "hint" }, "What is parked is dropped and counted as discarded."),
    h("div", { className: "tools" }, count, drop),
    result,
  );
  backlog.focus();
}
