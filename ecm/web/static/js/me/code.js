// The code from an authenticator app beside the password, and the recovery codes that stand in for it.

import { ask } from "../api.js";
import { h, icon, tag } from "../dom.js";
import { hasPasskeys } from "../passkeys.js";
import { asking } from "../dialogs.js";
import { appCode } from "../settings/app-code.js";
import { showCodes } from "../settings/recovery.js";
import { provingAgain } from "../step-up.js";
import { many } from "../strings.js";
import { dayOf } from "../time.js";

const FEW = 3;

export function codeCard(code, passkeys, done) {
  const second = code.set_up || passkeys.length > 0;
  return h("section", { class: "card", "aria-labelledby": "code-title" },
    h("header", {}, icon("phone"), h("h2", { id: "code-title" }, "Code from an app"), code.set_up ? tag("good", "good", "Asked for") : tag("quiet", "planned", "Not set up"), h("span", { class: "grow" }),
      h("button", { class: `button${second || hasPasskeys() ? "" : " primary"}`, type: "button", onclick: () => setUp(done) }, code.set_up ? "Use another phone" : "Set up")),
    h("div", { class: "body parts" },
      h("p", {}, code.set_up ? `Six figures are asked for after your password, since ${dayOf(code.confirmed_at)}.` : "An authenticator app on your phone shows six figures that are asked for after your password: a stolen password alone opens nothing then."),
      second && h("p", {}, many(code.recovery_codes_left, "recovery code"), " left. Each stands in once, after your password, for a phone or a passkey you have lost. ", code.set_up && code.recovery_codes_left <= FEW && tag("warning", "warning", "Few left")),
      second && h("p", { class: "spread" }, h("button", { class: "button", type: "button", onclick: () => renew(done) }, "Make new recovery codes…"), code.set_up && h("button", { class: "button", type: "button", onclick: () => remove(done) }, "Ask for no code any more…"))));
}

function setUp(done) {
  asking({
    title: "Set up an authenticator app", submit: "Show the QR code",
    body: h("p", {}, "You need an authenticator app on your phone: any that shows six figures does, and many are free. Have it open."),
    act: () => provingAgain(() => ask("POST", "/v1/me/second-step", undefined, {}, { stay: true })),
    done: (begun) => (begun ? confirm(begun, done) : done()),
  });
}

function confirm(begun, done) {
  const { code, body } = appCode(begun);
  asking({
    title: "Scan this with the app", submit: "Finish", body,
    act: () => ask("POST", "/v1/me/second-step/confirmation", { opening: begun.opening, code: code.value }, {}, { stay: true }),
    done: (made) => (made ? showCodes(made.recovery_codes, done) : done()),
  });
}

const renew = (done) => asking({
  title: "Make new recovery codes?", submit: "Make new ones",
  body: h("p", {}, "Those you have now open nothing any more."),
  act: () => provingAgain(() => ask("POST", "/v1/me/recovery-codes", undefined, {}, { stay: true })),
  done: (made) => (made ? showCodes(made.recovery_codes, done) : done()),
});

const remove = (done) => asking({
  title: "Ask for no code any more?", submit: "Ask for none", danger: true, done,
  body: h("p", {}, "Your password alone is then enough where your authority allows it."),
  act: () => provingAgain(() => ask("DELETE", "/v1/me/second-step", undefined, {}, { stay: true })),
});
