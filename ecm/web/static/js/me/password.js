// Choosing another password. Everywhere else one is then signed out.

import { ask } from "../api.js";
import { h, icon } from "../dom.js";
import { field } from "../dialogs.js";

const AT_LEAST = 12;
const READ_MS = 1500; // long enough to read that it was done, before the page is drawn anew

export function passwordCard(done) {
  const box = (id, autocomplete) => h("input", { id, type: "password", required: true, maxlength: 1000, autocomplete });
  const [current, fresh, again] = [box("current", "current-password"), box("new", "new-password"), box("again", "new-password")];
  const said = h("div", { role: "status" });
  const button = h("button", { class: "button primary", type: "submit" }, "Change password");
  const tell = (words, tone, at) => {
    said.replaceChildren(h("p", { class: `banner ${tone}` }, words));
    at?.focus();
  };
  const form = h("form", { class: "asked", novalidate: true },
    field("Current password", current), field("New password", fresh, `At least ${AT_LEAST} characters. A few words in a row are easy to remember and hard to guess.`), field("New password again", again), said,
    h("p", {}, button));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!current.value) return tell("Write your current password.", "critical", current);
    if (fresh.value.length < AT_LEAST) return tell(`The new one needs at least ${AT_LEAST} characters.`, "critical", fresh);
    if (fresh.value !== again.value) return tell("The two new ones are not the same.", "critical", again);
    button.disabled = true;
    try {
      await ask("POST", "/v1/me/password", { current: current.value, new: fresh.value }, {}, { stay: true });
      form.reset();
      tell("Changed. Everywhere else you are signed out.", "good");
      setTimeout(done, READ_MS);
    } catch (problem) {
      tell(problem.message, "critical", current);
    }
    button.disabled = false;
  });
  return h("section", { class: "card", "aria-labelledby": "password-title" }, h("header", {}, icon("edit"), h("h2", { id: "password-title" }, "Password")), h("div", { class: "body narrow" }, form));
}

export const noPassword = () => h("section", { class: "card", "aria-labelledby": "password-title" }, h("header", {}, icon("edit"), h("h2", { id: "password-title" }, "Password")),
  h("p", { class: "body" }, "None: nobody can steal it. If you want one beside your other ways, an administrator can make one for you."));
