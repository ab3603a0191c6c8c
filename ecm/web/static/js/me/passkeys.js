// One's own passkeys: which there are, making one on this device, removing one.

import { ask } from "../api.js";
import { h, icon, tag } from "../dom.js";
import { hasPasskeys, make } from "../passkeys.js";
import { deviceName } from "../settings/device.js";
import { asking, field } from "../dialogs.js";
import { provingAgain } from "../step-up.js";
import { dayOf } from "../time.js";

export function passkeysCard(passkeys, code, done) {
  const add = h("button", { class: `button${passkeys.length ? "" : " primary"}`, type: "button", disabled: !hasPasskeys(), onclick: () => addPasskey(done) }, "Add a passkey");
  return h("section", { class: "card", "aria-labelledby": "passkeys-title" },
    h("header", {}, icon("key"), h("h2", { id: "passkeys-title" }, "Passkeys"), h("span", { class: "grow" }), add),
    passkeys.length
      ? h("ul", { class: "things" }, passkeys.map((one) => row(one, done)))
      : h("p", { class: "body" }, "None yet. A passkey is kept by this device or your password manager and opens with a finger, a face or a PIN. Nobody can guess it, and no false page can ask for it."),
    !hasPasskeys() && h("p", { class: "body small" }, "This browser makes none at this address. Passkeys need the service to be opened by https, or on this machine at http://localhost."),
    passkeys.length === 1 && !code.set_up && !passkeys[0].backed_up && h("p", { class: "body small" }, tag("warning", "warning", "Only one"), " If this device is lost you cannot sign in. Add a second one on another device, or a code from an app."));
}

const row = (one, done) => h("li", {},
  h("div", { class: "grow" }, h("b", {}, one.name), h("p", { class: "quiet small" }, `made ${dayOf(one.made_at)} · ${one.used_at ? `last used ${dayOf(one.used_at)}` : "not used yet"}${one.backed_up ? " · on all devices of that account" : " · on one device only"}`)),
  h("button", { class: "button", type: "button", "aria-label": `Remove the passkey ${one.name}`, onclick: () => remove(one, done) }, "Remove…"));

function addPasskey(done) {
  const name = h("input", { id: "passkey-name", required: true, maxlength: 200, autocomplete: "off", value: deviceName(), "data-wrong": "Give it a name." });
  asking({
    title: "Add a passkey", submit: "Make it", done,
    body: [field("What do you call it?", name, "So that you know it again in this list."), h("p", { class: "quiet small" }, "Your device asks next for your finger, face or PIN.")],
    act: () => provingAgain(async () => {
      const { opening, options } = await ask("POST", "/v1/me/passkeys/options", undefined, {}, { stay: true });
      return ask("POST", "/v1/me/passkeys", { opening, credential: await make(options), name: name.value.trim() }, {}, { stay: true });
    }),
  });
}

const remove = (one, done) => asking({
  title: `Remove the passkey ${one.name}?`, submit: "Remove", danger: true, done,
  body: h("p", {}, "It signs you in no more. Take it out of the device or the password manager too, so that it is not offered in vain."),
  act: () => provingAgain(() => ask("DELETE", `/v1/me/passkeys/${one.id}`, undefined, {}, { stay: true })),
});
