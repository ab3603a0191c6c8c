// Add a correction: signed, reasoned, beside the evidence and never over it.

import { ask } from "../api.js";
import { h, icon } from "../dom.js";
import { label } from "../strings.js";
import { called } from "./header.js";
import { choice, field, instantOf, tell, wordsOf } from "./form.js";

const KINDS = [["times", "Add times"], ["frustrated", "Care could not be given"], ["cancelled", "It was cancelled"], ["note", "Add a note"]];

export function amendCard(visit, done) {
  const key = crypto.randomUUID();
  const kind = choice("amend-kind", "What to add", KINDS);
  const worker = field("amend-worker", label.worker.replace(/^./, (c) => c.toUpperCase()), h("input", { id: "amend-worker", list: "amend-workers", value: visit.care_workers[0] ?? "", autocomplete: "off" }), h("datalist", { id: "amend-workers" }, visit.care_workers.map((ref) => h("option", { value: ref }, called(visit, ref)))));
  const checkIn = field("amend-in", "Checked in", h("input", { id: "amend-in", type: "time", step: 1 }));
  const checkOut = field("amend-out", "Checked out", h("input", { id: "amend-out", type: "time", step: 1 }));
  const reason = choice("amend-reason", "Reason", [["", "Choose a reason"]]);
  const action = choice("amend-action", "What was done", [["", "Nothing to add"]]);
  const note = field("amend-note", "Note", h("textarea", { id: "amend-note", rows: 2, maxlength: 2000 }));
  const times = h("div", { class: "pair" }, checkIn, checkOut);
  const said = h("p", { role: "alert", hidden: true });
  const send = h("button", { class: "button primary", type: "submit" }, "Add to the record");
  const form = h("form", { class: "body amend" }, kind, worker, times, reason, action, note, said, send, h("p", { class: "quiet small" }, "Nothing already recorded is changed: this joins the evidence under your name."));
  const show = () => {
    const chosen = kind.control.value;
    times.hidden = chosen !== "times";
    worker.hidden = chosen !== "times" && chosen !== "frustrated";
    note.control.required = chosen === "note";
  };
  kind.control.addEventListener("change", show);
  reason.control.required = true;
  show();
  ask("GET", "/v1/reason-codes").then(({ reason_codes, actions_taken }) => {
    reason.control.append(...reason_codes.map(({ code, text }) => h("option", { value: code }, text)));
    action.control.append(...actions_taken.map(({ code, text }) => h("option", { value: code }, text)));
  }, (problem) => tell(said, problem.message, "critical"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    try {
      await ask("POST", `/v1/visits/${visit.id}/amendments`, body(), { "Idempotency-Key": key }, { stay: true });
      tell(said, "Added. The visit is being worked out again.", "good");
      setTimeout(done, 800);
    } catch (problem) {
      tell(said, wordsOf(problem), "critical");
      send.disabled = false;
    }
  });

  function body() {
    const chosen = kind.control.value;
    const wanted = { kind: chosen, reason_code: reason.control.value };
    if (action.control.value) wanted.action_taken = action.control.value;
    if (note.control.value.trim()) wanted.note = note.control.value.trim();
    if (chosen === "times" || (chosen === "frustrated" && worker.control.value)) wanted.care_worker = worker.control.value;
    if (chosen === "times") {
      if (checkIn.control.value) wanted.check_in_at = instantOf(visit, checkIn.control.value);
      if (checkOut.control.value) wanted.check_out_at = instantOf(visit, checkOut.control.value, wanted.check_in_at);
    }
    return wanted;
  }

  return h("section", { class: "card", "aria-labelledby": "amend-title" }, h("header", {}, icon("edit"), h("h2", { id: "amend-title" }, "Correct the record")), form);
}
