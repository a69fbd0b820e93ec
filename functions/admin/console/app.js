// The console: signing in, and which view the address names. The address names projects and integrations, never a key.

import { forget, session, signedIn } from "./api.js";
import { endDialogs, modal } from "./dialog.js";
import { h, hush, say } from "./dom.js";
import { gate } from "./gate.js";
import { integration } from "./integration.js";
import { overview } from "./overview.js";
import { isAsking, mayLose } from "./unsaved.js";

const main = document.getElementById("main");
const where = document.getElementById("where");
const leave = document.getElementById("leave");

// Ends what the view before left running: its timers, requests and dialogs.
let ending = new AbortController();
// The address of the view that is shown.
let shown = null;
let failed = false;

async function show() {
  const signal = emptied();
  leave.hidden = !signedIn();
  if (!signedIn()) {
    main.replaceChildren(gate("Sign in", null, () => (say("Signed in."), show())));
    return;
  }
  const view = h("div", { className: "view" }, h("p", { className: "hint" }, "Loading …"));
  // Who came here by a link or the sign-in goes on from the top; whoever is in the header stays there.
  const stays = document.activeElement?.closest("header");
  main.replaceChildren(view);
  if (!stays) main.focus({ preventScroll: true });
  const trailed = (project, name) => signal.aborted || trail(project, name);
  try {
    const [project, id] = steps();
    trailed(project);
    if (id) await integration(view, project, id, signal, (name) => trailed(project, name));
    else await overview(view, project, signal, trailed);
  } catch (fault) {
    if (signal.aborted) return;
    failed = true;
    view.replaceChildren(h("h1", {}, "This cannot be shown"), h("p", { className: "fault", role: "alert" }, fault.message));
  }
  // From here on it changes by itself alone.
  view.classList.add("loaded");
}

/** Nothing of the view before is left, on the page or under way. The signal is the next one's. */
function emptied() {
  ending.abort();
  ending = new AbortController();
  shown = location.hash;
  failed = false;
  endDialogs();
  main.replaceChildren();
  trail();
  return ending.signal;
}

/** What the address names. */
function steps() {
  try {
    return location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    throw new Error("The address names nothing: it has a % that stands for no character.");
  }
}

function trail(project, name) {
  const steps = [];
  if (project) steps.push(h("a", { href: `#/${encodeURIComponent(project)}` }, project));
  if (name) steps.push(h("span", { "aria-current": "page" }, name));
  where.replaceChildren(...steps);
  document.title = [name, project, "Flagpost"].filter(Boolean).join(" · ");
}

// The gate comes over the view, which stays as it is with what was typed into it.
session.addEventListener("lost", ({ detail }) => {
  leave.hidden = true;
  const over = h("dialog", {
    className: "over",
    "aria-labelledby": "gate-title",
    // Escape leads nowhere: neither by itself nor pressed twice.
    closedby: "none",
    on: { cancel: (event) => event.preventDefault() },
  });
  const { signal } = ending;
  over.append(
    gate("Sign in again", `The API no longer takes the key (${detail}). What you typed is still here.`, async () => {
      end();
      leave.hidden = false;
      say("Signed in.");
      if (failed) await show();
    }),
  );
  const end = modal(over, () => signedIn() || signal.aborted || show());
});

leave.addEventListener("click", async () => {
  if (!(await mayLose())) return;
  forget();
  await show();
  say("The key is forgotten.");
});

addEventListener("hashchange", async () => {
  // The skip link's own address is not a view.
  if (location.hash === "#main" || location.hash === shown || isAsking()) return;
  if (await mayLose()) await show();
  // Whichever way the address was changed, back too: the view that stays has its own again.
  else if (location.hash !== shown) history.pushState(null, "", shown || "#/");
});

// A page that is left may be kept by the browser, with its memory, for when somebody goes back.
addEventListener("pagehide", () => {
  forget();
  emptied();
  hush();
});
addEventListener("pageshow", (event) => event.persisted && show());

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
show();
