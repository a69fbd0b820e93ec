// Modal dialogs. What is said goes into the uppermost, as what is behind it is neither seen nor read out.

import { h } from "./dom.js";

const open = new Set();

/** Shows an element as a modal dialog; the focus goes back to where it came from. The answer ends it. */
export function modal(shown, ended = () => {}) {
  const before = document.activeElement;
  const end = () => {
    if (!open.delete(end)) return;
    const said = document.getElementById("said");
    if (shown.contains(said)) document.body.append(said);
    const held = shown.contains(document.activeElement) || document.activeElement === document.body;
    shown.close();
    shown.remove();
    if (held && before?.isConnected) before.focus();
    ended();
  };
  open.add(end);
  shown.addEventListener("close", end);
  document.body.append(shown);
  shown.showModal();
  return end;
}

/** Ends all dialogs, the uppermost first. */
export function endDialogs() {
  for (const end of [...open].reverse()) end();
}

/** A modal dialog with a title; Escape and its Close button end it. */
export function dialog(title, ...content) {
  const id = `dialog-${(made += 1)}`;
  const shown = h(
    "dialog",
    { "aria-labelledby": id },
    h(
      "div",
      { className: "dialog-head" },
      h("h2", { id }, title),
      h("button", { type: "button", on: { click: () => shown.close() } }, "Close"),
    ),
    ...content,
  );
  modal(shown);
  return shown;
}
let made = 0;

/** Whether the operator wants it; `[no, yes]` are the buttons' names, and Escape is no. */
export function confirm(title, question, [no, yes]) {
  const id = `dialog-${(made += 1)}`;
  return new Promise((answer) => {
    let said = false;
    const stay = h("button", { type: "button", className: "primary", on: { click: () => shown.close() } }, no);
    const go = h("button", { type: "button", className: "danger", on: { click: () => ((said = true), shown.close()) } }, yes);
    const shown = h(
      "dialog",
      { "aria-labelledby": id },
      h("h2", { id }, title),
      h("p", {}, question),
      h("div", { className: "tools" }, stay, go),
    );
    modal(shown, () => answer(said));
    stay.focus();
  });
}
