// Entered by hand: what somebody was told, with a reason, as one more piece of evidence that says whose hand wrote it.

import { ask } from "../api.js";
import { h } from "../dom.js";
import { capital, label } from "../strings.js";
import { dayOf, dayOfDate } from "../time.js";
import { choice, field, instantOf, tell, wordsOf } from "./form.js";

const DAY_MS = 86_400_000;
const NEAR_MS = DAY_MS / 4;
const KINDS = [["check_in", "Check-in"], ["check_out", "Check-out"]];

export function enterByHand(visit, done) {
  const kind = choice("enter-kind", "What happened", KINDS);
  const worker = field("enter-worker", capital(label.worker), h("input", { id: "enter-worker", list: "enter-workers", value: visit.care_workers[0] ?? "", autocomplete: "off", required: true, maxlength: 200 }), h("datalist", { id: "enter-workers" }, visit.care_workers.map((ref) => h("option", { value: ref }, visit.care_worker_names[ref] ?? ref))));
  const at = field("enter-at", "When", h("input", { id: "enter-at", type: "time", step: 1, required: true, "aria-describedby": "enter-day" }), h("p", { id: "enter-day", class: "quiet small" }, dayOfDate(visit.date)));
  const reason = choice("enter-reason", "Reason", [["", "Choose a reason"]]);
  const note = field("enter-note", "How do you know?", h("textarea", { id: "enter-note", rows: 2, maxlength: 2000 }));
  const said = h("p", { role: "alert", hidden: true });
  const send = h("button", { class: "button primary", type: "submit" }, "Enter");
  const form = h("form", { class: "amend" }, kind, worker, at, reason, note, said,
    h("div", { class: "spread" }, send, h("button", { class: "button", type: "button", onclick: () => dialog.close() }, "Cancel")),
    h("p", { class: "quiet small" }, "This joins the evidence under your name, as entered by hand. It proves less than a phone, a tag or a telephone, and it replaces none of them."));
  const dialog = h("dialog", { "aria-labelledby": "enter-title", class: "enter" }, h("h2", { id: "enter-title" }, "Enter by hand"), form);
  // The same words again under the same id are one entry; other words are another.
  let id = crypto.randomUUID();
  let tried = false;
  form.addEventListener("input", () => {
    if (tried) id = crypto.randomUUID();
    tried = false;
    if (at.control.value) at.querySelector("#enter-day").textContent = dayOf(nearest(visit, kind.control.value, at.control.value));
  });
  kind.control.value = visit.attendances.some((a) => a.check_in_at && !a.check_out_at) ? "check_out" : "check_in";
  reason.control.required = true;
  ask("GET", "/v1/reason-codes").then(({ reason_codes }) => reason.control.append(...reason_codes.map(({ code, text }) => h("option", { value: code }, text))), (problem) => tell(said, problem.message, "critical"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = tried = true;
    try {
      await ask("POST", `/v1/visits/${visit.id}/check-events`, { id, kind: kind.control.value, occurred_at: nearest(visit, kind.control.value, at.control.value), care_worker: worker.control.value, reason_code: reason.control.value, ...(note.control.value.trim() && { note: note.control.value.trim() }) }, {}, { stay: true });
      tell(said, `Entered. The ${label.visit} is being worked out again.`, "good");
      setTimeout(() => (dialog.close(), done()), 800);
    } catch (problem) {
      tell(said, wordsOf(problem), "critical");
      send.disabled = false;
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** The time of day on the visit's date; on the day before or after where only that is near the plan, as for a night. */
function nearest(visit, kind, time) {
  const expected = Date.parse((kind === "check_in" ? visit.planned.start : visit.planned.end) ?? visit.actual.start ?? `${visit.date}T12:00:00Z`);
  const that = Date.parse(instantOf(visit, time));
  const nearby = [-DAY_MS, DAY_MS].map((more) => that + more).find((at) => Math.abs(at - expected) < NEAR_MS);
  return new Date(nearby ?? that).toISOString();
}
