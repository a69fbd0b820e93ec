// The console: signing in, and which view the address names. The address names projects and integrations, never a key.

import { forget, signedIn, signIn } from "./api.js";
import { busy, field, h, say } from "./dom.js";
import { integration } from "./integration.js";
import { overview } from "./overview.js";

const main = document.getElementById("main");
const where = document.getElementById("where");
const leave = document.getElementById("leave");

// Ends what the view before left running: its timers and requests.
let ending = new AbortController();

async function show() {
  ending.abort();
  ending = new AbortController();
  const { signal } = ending;
  leave.hidden = !signedIn();
  const [project, id] = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  trail(signedIn() ? project : null, null);
  if (!signedIn()) {
    main.replaceChildren(gate());
    return;
  }
  const view = h("div", { className: "view" }, h("p", { className: "hint" }, "Loading …"));
  // Who came here by a link or the sign-in goes on from the top; whoever is in the header stays there.
  const stays = document.activeElement?.closest("header");
  main.replaceChildren(view);
  if (!stays) main.focus({ preventScroll: true });
  try {
    if (id) await integration(view, project, id, signal, (name) => trail(project, name));
    else await overview(view, project, signal, (shown) => trail(shown, null));
  } catch (fault) {
    if (signal.aborted) return;
    view.replaceChildren(h("h1", {}, "This cannot be shown"), h("p", { className: "fault", role: "alert" }, fault.message));
  }
}

function trail(project, name) {
  const steps = [];
  if (project) steps.push(h("a", { href: `#/${encodeURIComponent(project)}` }, project));
  if (name) steps.push(h("span", { "aria-current": "page" }, name));
  where.replaceChildren(...steps);
  document.title = [name, project, "Flagpost"].filter(Boolean).join(" · ");
}

function gate() {
  const typed = h("input", {
    type: "password",
    name: "key",
    required: true,
    autocomplete: "off",
    spellcheck: false,
  });
  const enter = h("button", { type: "submit", className: "primary" }, "Sign in");
  const fault = h("p", { className: "fault", role: "alert" });
  const form = h(
    "form",
    {
      className: "gate",
      on: {
        submit: (event) => {
          event.preventDefault();
          busy(enter, async () => {
            fault.textContent = "";
            try {
              await signIn(typed.value.trim());
            } catch (refused) {
              fault.textContent = refused.message;
              typed.focus();
              return;
            }
            typed.value = "";
            say("Signed in.");
            await show();
          });
        },
      },
    },
    h("h1", {}, "Sign in"),
    field("Admin key", typed, "It is kept in this page's memory and nowhere else: leaving or reloading the page forgets it."),
    enter,
    fault,
  );
  queueMicrotask(() => typed.focus());
  return form;
}

leave.addEventListener("click", () => {
  forget();
  say("The key is forgotten.");
  show();
});
// The skip link's own address is not a view.
addEventListener("hashchange", () => location.hash !== "#main" && show());
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
show();
