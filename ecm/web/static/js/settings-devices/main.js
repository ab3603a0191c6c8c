// Phones: which are enrolled, enrolling one with a code to scan, and cutting one off.

import "../frame.js";
import { ask } from "../api.js";
import { h, tag } from "../dom.js";
import { page } from "../page.js";
import { dayOf } from "../time.js";
import { somebodyLeft } from "../settings/left.js";
import { asking, field } from "../dialogs.js";
import { all, cell, head, listed, root, show } from "../settings/parts.js";
import { workerFields } from "./choose.js";
import { enrol } from "./enrol.js";

const TITLE = "Phones";
const SORTS = [["In use", (phone) => !phone.cut_off_at], ["Silent", (phone) => phone.silent], ["Cut off", (phone) => Boolean(phone.cut_off_at)], ["All", () => true]];

async function read() {
  const [phones, providers] = await Promise.all([all("/v1/phones"), all("/v1/providers")]);
  return { phones, providers };
}

const load = () => show(TITLE, read, draw);
const by = (words) => words.replace(/^account \d+ /, "");

function draw({ phones, providers }) {
  const nameOf = (ref) => providers.find((one) => one.ref === ref)?.name ?? ref;
  const whose = (phone) => phone.name ?? (phone.care_worker ? phone.care_worker : "Shared phone");
  phones.sort((a, b) => whose(a).localeCompare(whose(b)) || a.label.localeCompare(b.label));
  root.replaceChildren(
    head(TITLE, "Care workers’ phones that may check in. Each signs what it sends with a key of its own. Cut one off as soon as it is lost: what it signed before still arrives, and is marked.",
      page.may.has("manage_leavers") && h("button", { class: "button", type: "button", disabled: !providers.length, onclick: () => careWorkerLeft(providers, load) }, "Somebody has left…"),
      h("button", { class: "button primary", type: "button", disabled: !providers.length, onclick: () => enrol(providers, load) }, "Enrol a phone")),
    ...(providers.length ? [] : [h("p", { class: "banner warning" }, "No provider is known yet. Import providers and care workers first.")]),
    listed({
      id: "phones", what: "phones", items: phones, sorts: SORTS.filter(([, test], n) => n === 0 || phones.some(test)), columns: ["Whose", "Phone", "Enrolled", "State", ""],
      find: (phone) => `${whose(phone)} ${phone.care_worker ?? ""} ${phone.label} ${nameOf(phone.provider)} ${phone.id}`,
      none: h("p", { class: "empty" }, h("strong", {}, "No phone is enrolled."), "Enrol the first one: make a code, and scan it with the phone."),
      row: (phone) => h("tr", {},
        h("td", {}, h("p", { class: "name" }, whose(phone)), h("p", { class: "quiet small" }, [phone.care_worker, nameOf(phone.provider)].filter(Boolean).join(" · "))),
        cell("Phone", h("p", {}, phone.label), h("p", { class: "quiet small" }, phone.id.slice(0, 8))),
        cell("Enrolled", h("p", {}, dayOf(phone.enrolled_at)), h("p", { class: "quiet small" }, `by ${by(phone.enrolled_by)}`)),
        cell("State", phone.cut_off_at
          ? [tag("warning", "cancelled", "Cut off"), h("p", { class: "quiet small" }, `${dayOf(phone.cut_off_at)}, ${by(phone.cut_off_by)}: ${phone.cut_off_reason ?? "no reason given"}`)]
          : phone.silent
            ? [tag("warning", "clock", "Silent"), h("p", { class: "quiet small" }, "nothing came for 14 days")]
            : tag("good", "good", "In use")),
        h("td", {}, !phone.cut_off_at && h("button", { class: "button", type: "button", "aria-label": `Cut off ${phone.label} of ${whose(phone)}`, onclick: () => cutOff(phone, whose(phone)) }, "Cut off…"))),
    }));
}

function cutOff(phone, name) {
  const reason = h("input", { id: "reason", required: true, maxlength: 200, autocomplete: "off", "data-wrong": "Write why: it stays on record." });
  asking({
    title: `Cut off ${phone.label} (${name})?`, submit: "Cut off", danger: true, done: load,
    body: [h("p", {}, "From this moment it shows nothing and opens nothing. It cannot be undone: a phone that is found is enrolled anew."), field("Why?", reason, "“Lost on the bus”, “stolen”, “replaced”.")],
    act: () => ask("POST", `/v1/phones/${phone.id}/cut-off`, { reason: reason.value.trim() }, {}, { stay: true }),
  });
}

/** A care worker who has left: everything they hold ends, phones and codes too. */
function careWorkerLeft(providers, done) {
  const choice = workerFields(providers);
  somebodyLeft({
    title: "Which care worker has left?", first: choice.fields, done,
    path: () => `/v1/care-workers/${encodeURIComponent(choice.worker.value)}/departure`, name: () => choice.worker.selectedOptions[0].textContent,
  });
}

load();
