// What was typed and is not saved: nobody loses it without being asked.

import { confirm } from "./dialog.js";

const nothing = () => false;
let isThere = nothing;

// Only while there is something: a page that listens may be kept from the browser's own cache.
const warn = (event) => event.preventDefault();

/** Names who knows whether there is something unsaved, for as long as that view is shown. */
export function watch(asked, signal) {
  isThere = asked;
  signal.addEventListener("abort", () => {
    if (isThere === asked) isThere = nothing;
    changed();
  });
}

/** To be called when there may be something unsaved, or no longer. */
export function changed() {
  if (isThere()) addEventListener("beforeunload", warn);
  else removeEventListener("beforeunload", warn);
}

let asking = null;

/** Whether it may be lost: yes if there is nothing, otherwise as the operator says. */
export async function mayLose() {
  if (!isThere()) return true;
  asking ??= confirm(
    "What you wrote is not saved",
    "Filter and template were changed and not saved. Going on loses what you wrote.",
    ["Keep writing", "Lose it"],
  );
  const said = await asking;
  asking = null;
  return said;
}

/** Whether the question is open. */
export const isAsking = () => asking !== null;
