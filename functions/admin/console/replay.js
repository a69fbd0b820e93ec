// Replaying dead deliveries: first counted, then done, in as many requests as it takes.

import { post } from "./api.js";
import { dialog } from "./dialog.js";
import { button, field, h, say } from "./dom.js";
import { deliveries, events } from "./words.js";

/** After so many answers in a row that got nothing done, it is not going to. */
const IN_VAIN = 10;
/** Seconds between two requests at most. */
const LONGEST_WAIT = 10;

export function replay(path, signal, done) {
  const from = h("input", { type: "datetime-local", step: 1 });
  const to = h("input", { type: "datetime-local", step: 1 });
  const result = h("p", { role: "status" });
  const bar = h("progress", { hidden: true, "aria-label": "Replayed" });
  let counted = null;

  const act = button(
    "Replay",
    async () => {
      bar.max = Math.max(1, counted.deliveries);
      bar.value = 0;
      bar.hidden = false;
      const swept = await sweep([...path, "deliveries", "replay"], counted.period, result, signal, (so) => (bar.value = so.deliveries));
      result.textContent = `Replayed ${deliveries(swept.deliveries)} with ${events(swept.events)}. They are sent oldest first, at the pace that the endpoint takes.`;
      act.hidden = true;
      say(result.textContent);
      await done();
    },
    { className: "primary", hidden: true },
  );
  const count = button("Count first (dry run)", async () => {
    const period = { ...at("from", from), ...at("to", to) };
    counted = await counts([...path, "deliveries", "replay"], period, signal);
    const none = counted.deliveries === 0;
    result.textContent = none
      ? "Nothing dead lies there."
      : `This would replay ${deliveries(counted.deliveries)} with ${events(counted.events)}.`;
    act.textContent = `Replay ${deliveries(counted.deliveries)}`;
    act.hidden = none;
    if (!none) act.focus();
  });
  // Another period has not been counted.
  for (const input of [from, to]) input.addEventListener("input", () => ((act.hidden = true), (result.textContent = "")));
  dialog(
    "Replay dead deliveries",
    h("p", {}, "They are parked again, each with its whole schedule before it."),
    h("div", { className: "pair" }, field("From", from, "All of them if empty."), field("Before", to)),
    h("div", { className: "tools" }, count, act),
    bar,
    result,
  );
  count.focus();
}

const at = (name, input) => (input.value ? { [name]: new Date(input.value).getTime() } : {});

/** A dry run to its end. What it counted is what is replayed: up to the time that it names, and nothing that died since. */
async function counts(path, period, signal) {
  const sum = { deliveries: 0, events: 0, period };
  let cursor;
  for (;;) {
    const answer = await post(path, { ...sum.period, dry_run: true, ...(cursor ? { cursor } : {}) }, signal);
    sum.deliveries += answer.deliveries;
    sum.events += answer.events;
    if (Number.isInteger(answer.to)) sum.period = { ...sum.period, to: answer.to };
    if (answer.done || !answer.next) return sum;
    cursor = answer.next;
  }
}

/** Sends a request that does as much as there is time for until all is done, and tells how far it is. */
export async function sweep(path, body, told, signal, moved = () => {}) {
  const sum = { deliveries: 0, events: 0 };
  for (let vain = 0; vain < IN_VAIN; ) {
    const answer = await once(path, body, told, signal);
    sum.deliveries += answer?.deliveries ?? 0;
    sum.events += answer?.events ?? 0;
    moved(sum);
    if (answer?.done) return sum;
    vain = answer?.deliveries ? 0 : vain + 1;
    if (answer) {
      told.textContent = `So far ${deliveries(sum.deliveries)} with ${events(sum.events)} …`;
      if (vain) await wait(1);
    }
  }
  throw new Error(`It does not go on: so far ${deliveries(sum.deliveries)} with ${events(sum.events)}.`);
}

/** One such request; nothing where a drain, say, has to end first, after the wait that was asked for. */
async function once(path, body, told, signal) {
  try {
    return await post(path, body, signal);
  } catch (fault) {
    if (fault.status !== 409 || !fault.retryAfter) throw fault;
    told.textContent = `Not yet: ${fault.message} …`;
    await wait(Math.min(fault.retryAfter, LONGEST_WAIT));
    return null;
  }
}

const wait = (seconds) => new Promise((go) => setTimeout(go, seconds * 1000));
