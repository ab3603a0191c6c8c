// Asking before something is done, and showing a secret once.

import { h, svg } from "./dom.js";

const STALE = 409;

/** A field of a form: its label, the input, and a line that helps. */
export const field = (label, input, help) => {
  const id = input.id;
  if (help) input.setAttribute("aria-describedby", `${id}-help`);
  return h("div", { class: "field" }, h("label", { for: id }, label), input, help && h("p", { class: "quiet small", id: `${id}-help` }, help));
};

/**
 * A dialog with a form. `act` does it and may return what is shown next; what it throws is said in the dialog, and when
 * the thing has changed meanwhile (409) `stale` reads the page anew.
 */
export function asking({ title, body, submit, act, done, cancel = "Cancel", danger = false }) {
  const said = h("div", { role: "alert" });
  const button = submit && h("button", { class: `button primary${danger ? " danger" : ""}`, type: "submit" }, submit);
  const back = h("button", { class: "button", type: "button", onclick: () => dialog.close() }, cancel);
  const form = h("form", { class: "asked", novalidate: true }, body, said, h("div", { class: "spread buttons" }, button, back));
  const dialog = opened(title, form);
  if (danger && !form.querySelector("input, select")) back.focus(); // what cannot be undone is not one key away
  let changed = false;
  const tell = (problem) => {
    changed ||= problem.status === STALE;
    said.replaceChildren(h("p", { class: "banner critical" }, problem.message));
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wrong = wrongIn(form);
    if (wrong) return tell({ message: wrong });
    said.replaceChildren();
    button.disabled = true;
    try {
      const next = await act();
      changed = false;
      dialog.close();
      done?.(next);
    } catch (problem) {
      tell(problem);
    }
    button.disabled = false;
  });
  dialog.addEventListener("close", () => changed && done?.());
  return { dialog, tell };
}

/** What is wrong with the first field that is not as it must be, and puts the person there; null where all is well. */
export function wrongIn(form) {
  const wrong = [...form.elements].find((input) => !input.hidden && input.checkValidity && !input.checkValidity());
  wrong?.focus();
  return wrong ? wrong.dataset.wrong ?? wrong.validationMessage : null;
}

/** A dialog that stands alone: it is taken away when it is closed, and whoever opened it has the focus again. */
export function opened(title, ...body) {
  const before = document.activeElement;
  const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, h("h2", { id: "dialog-title" }, title), body);
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (before?.isConnected) before.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** What is shown here and never again. It goes when somebody has said that they have it. */
export function shownOnce({ title, words, body, sure: said = "I have it. It is not shown again.", done }) {
  const sure = h("input", { type: "checkbox", id: "sure" });
  const close = h("button", { class: "button primary", type: "button", disabled: true, onclick: () => dialog.close() }, "Close");
  sure.addEventListener("change", () => { close.disabled = !sure.checked; });
  const dialog = opened(title, h("div", { class: "once" }, h("p", {}, words), body,
    h("p", { class: "sure" }, sure, h("label", { for: "sure" }, said)), h("div", { class: "spread buttons" }, close)));
  dialog.addEventListener("cancel", (event) => { if (!sure.checked) event.preventDefault(); });
  dialog.addEventListener("close", () => done?.());
  return dialog;
}

/** The secret with a button that copies it; where the browser will not, it is marked for copying by hand. */
export function secretShown(secret, label = "Copy") {
  const text = h("code", { class: "secret", tabindex: 0 }, secret);
  const said = h("span", { role: "status", class: "small" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret);
      said.textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(text);
      said.textContent = "Marked. Copy it with the keyboard.";
    }
  };
  return h("div", { class: "secret-row" }, text, h("button", { class: "button", type: "button", onclick: copy }, label), said);
}

/** A QR code. `words`: for those who do not see it. */
export function drawn({ size, path }, words) {
  return svg("svg", { viewBox: `0 0 ${size} ${size}`, class: "qr", role: "img", "aria-label": words, "shape-rendering": "crispEdges" },
    svg("rect", { width: size, height: size, fill: "#fff" }), svg("path", { d: path, fill: "#000" }));
}
