// The gate: where the key is asked for.

import { signIn } from "./api.js";
import { busy, field, h } from "./dom.js";

/** A form that asks for the key; `entered` follows when it was taken. */
export function gate(title, why, entered) {
  const typed = h("input", {
    // To browsers a password is something to keep, whatever the page says. So this is a text, with dots in place of its
    // characters; where a browser cannot do that, it is not shown either.
    type: CSS.supports("-webkit-text-security", "disc") ? "text" : "password",
    className: "secret",
    required: true,
    autocomplete: "off",
    autocapitalize: "none",
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
            await entered();
          });
        },
      },
    },
    h("h1", { id: "gate-title" }, title),
    why && h("p", {}, why),
    field("Admin key", typed, "It is kept in this page's memory and nowhere else: leaving or reloading the page forgets it."),
    enter,
    fault,
  );
  queueMicrotask(() => typed.focus());
  return form;
}
