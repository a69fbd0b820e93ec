// Looking anew every few seconds, while the page is in sight and there is a key.

import { session } from "./api.js";

const EVERY_MS = 10_000;

/** One look after the other: the time runs from the end of the last one, so that no two overlap. */
export function follow(look, signal) {
  let timer = 0;
  let looks = false;
  let stopped = false;
  const later = () => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(now, EVERY_MS);
  };
  const now = async () => {
    if (looks) return;
    clearTimeout(timer);
    looks = true;
    if (document.visibilityState === "visible") await look();
    looks = false;
    later();
  };
  const stop = () => {
    stopped = true;
    clearTimeout(timer);
  };
  signal.addEventListener("abort", stop);
  session.addEventListener("lost", stop, { signal });
  session.addEventListener("found", () => ((stopped = false), now()), { signal });
  later();
}
