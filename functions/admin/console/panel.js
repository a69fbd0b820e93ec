// A part of a view that is loaded by itself: where that fails it says so, until it next goes well, and all others stay.

import { isGivenUp } from "./api.js";
import { h } from "./dom.js";

export const section = (title, ...content) => h("section", {}, h("h2", {}, title), ...content);

/** Where faults are told, and `run`, which does something and answers whether it went well. */
export function trouble(signal) {
  const place = h("p", { className: "fault", role: "alert" });
  const run = async (act) => {
    try {
      await act();
    } catch (fault) {
      if (!signal.aborted && !isGivenUp(fault)) place.textContent = fault.message;
      return false;
    }
    place.textContent = "";
    return true;
  };
  return { place, run };
}

/** `make` gets `run` for what the part does by itself, and answers `{element, refresh}`. */
export function panel(title, signal, make) {
  const { place, run } = trouble(signal);
  const part = make(run);
  return { element: section(title, place, part.element), refresh: () => run(part.refresh) };
}
