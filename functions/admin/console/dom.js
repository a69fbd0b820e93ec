// Elements. Text only ever goes in as text: nothing here, and nothing beside it, parses HTML.

import { isGivenUp } from "./api.js";

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element. `on` holds listeners; names of properties (value, disabled, …) and attributes mix. */
export function h(tag, given = {}, ...children) {
  return fill(document.createElement(tag), given, children);
}

/** An SVG element: attributes only. */
export function svg(tag, given = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(given)) element.setAttribute(name, String(value));
  element.append(...children.filter((child) => child != null));
  return element;
}

function fill(element, { on = {}, ...given }, children) {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null) continue;
    if (name in element) element[name] = value;
    else if (value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A button that does `act` once at a time, and says so while it does. */
export function button(label, act, given = {}) {
  const made = h("button", { type: "button", ...given, on: { click: () => busy(made, act) } }, label);
  return made;
}

/** Runs `act` with the control marked busy; a fault is told where the user is. */
export async function busy(control, act) {
  if (control.getAttribute("aria-busy") === "true") return;
  control.setAttribute("aria-busy", "true");
  try {
    await act();
  } catch (fault) {
    if (!isGivenUp(fault)) say(String(fault.message ?? fault), true);
  } finally {
    control.removeAttribute("aria-busy");
  }
}

/** A field with its label, and a hint below it. */
export function field(label, control, hint) {
  control.id ||= `field-${(fields += 1)}`;
  if (hint) {
    control.setAttribute("aria-describedby", `${control.id}-hint`);
  }
  return h(
    "div",
    { className: "field" },
    h("label", { htmlFor: control.id }, label),
    control,
    hint && h("p", { className: "hint", id: `${control.id}-hint` }, hint),
  );
}
let fields = 0;

/** A choice of one of several: `[[value, label], …]`. */
export function choice(options, value, on = {}) {
  const select = h("select", { on }, ...options.map(([value, label]) => h("option", { value }, label)));
  select.value = value;
  return select;
}

/** How long good news stays at the bottom; a fault stays until something else is told. */
const SHOWN_MS = 8000;
let fading = 0;
let coming = 0;

/** Tells what happened: read out, and shown at the bottom. */
export function say(text, isFault = false) {
  const said = document.getElementById("said");
  // What is behind a modal dialog is neither seen nor read out.
  ([...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body).append(said);
  said.className = isFault ? "fault" : "";
  said.textContent = "";
  // Anew, so that the same words are read out a second time.
  cancelAnimationFrame(coming);
  coming = requestAnimationFrame(() => (said.textContent = text));
  clearTimeout(fading);
  if (!isFault) fading = setTimeout(() => (said.textContent = ""), SHOWN_MS);
}

/** Says nothing any more. */
export function hush() {
  clearTimeout(fading);
  cancelAnimationFrame(coming);
  document.getElementById("said").textContent = "";
}

/** Makes these the children, in this order: those that are there stay as they are, and so does the focus. */
export function arrange(parent, children) {
  const held = parent.contains(document.activeElement) ? document.activeElement : null;
  const wanted = new Set(children);
  for (const old of [...parent.children]) if (!wanted.has(old)) old.remove();
  let at = parent.firstElementChild;
  for (const child of children) {
    if (child === at) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
  }
  // What is moved loses it.
  if (held?.isConnected && document.activeElement !== held) held.focus({ preventScroll: true });
}
