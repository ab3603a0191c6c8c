// Proving again that it is you, where the service asks for that before something that cannot be taken back.

import { Problem, ask } from "./api.js";
import { h, icon, setText } from "./dom.js";
import { deviceWords, hasPasskeys, prove } from "./passkeys.js";

/** What `send` gives; where the service asks for a new proof first, the person is asked for it and it is sent again. */
export async function provingAgain(send) {
  try {
    return await send();
  } catch (problem) {
    if (problem.kind !== "/problems/step-up-needed") throw problem;
    await stepUp();
    return send();
  }
}

/** Resolves once it is proved. Raises Problem when the person turned back, or has nothing to prove it by. */
async function stepUp() {
  const { ways, opening, options } = await ask("POST", "/v1/session/step-up-options");
  await new Promise((resolve, reject) => {
    const dialog = drawn(ways, { opening, options }, resolve);
    dialog.addEventListener("close", () => {
      dialog.remove();
      reject(new Problem(0, "It was not proved that it is you, so nothing was changed."));
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function drawn(ways, first, resolve) {
  const said = h("p", { class: "said", role: "alert" });
  const dialog = h("dialog", { class: "card step-up", "aria-labelledby": "step-up-title" });
  const proved = () => {
    resolve();
    dialog.close();
  };
  const attempt = async (event, doing) => {
    event.preventDefault();
    const buttons = [...dialog.querySelectorAll("button[data-proves]")];
    for (const button of buttons) button.disabled = true;
    setText(said, "");
    try {
      await ask("POST", "/v1/session/step-up", await doing(), {}, { stay: true });
      proved();
    } catch (error) {
      setText(said, error instanceof Problem ? error.message : (deviceWords(error) ?? ""));
      for (const button of buttons) button.disabled = false;
    }
  };
  const byPasskey = ways.includes("passkey") && hasPasskeys();
  const parts = [
    h("h2", { id: "step-up-title" }, "Prove again that it is you"),
    h("p", { class: "quiet" }, "What you are about to do cannot be taken back, or opens the door to others. The proof is good for ten minutes."),
    said,
    byPasskey && passkeyButton(first, attempt),
    ways.includes("code") && codeForm(byPasskey, attempt),
    ways.includes("council") && h("p", {}, h("a", { class: "button wide", href: "/sign-in/council?again=1" }, "By your council's own sign-in")),
    h("button", { class: "button wide", type: "button", onclick: () => dialog.close() }, "Turn back"),
  ];
  dialog.append(...parts.filter(Boolean));
  return dialog;
}

function passkeyButton(first, attempt) {
  let asked = first;
  const button = h("button", { class: "button primary wide", type: "button", "data-proves": true }, icon("key"), "Use your passkey");
  button.addEventListener("click", (event) => attempt(event, async () => {
    const { opening, options } = asked ?? (await ask("POST", "/v1/session/step-up-options"));
    asked = null; // good once
    return { opening, credential: await prove(options) };
  }));
  return button;
}

function codeForm(beside, attempt) {
  const password = h("input", { id: "step-up-password", type: "password", autocomplete: "current-password", required: true, maxlength: 1000 });
  const code = h("input", { id: "step-up-code", inputmode: "numeric", autocomplete: "one-time-code", required: true, maxlength: 11 });
  const form = h("form", { class: "field" },
    h("label", { for: "step-up-password" }, "Password"), password,
    h("label", { for: "step-up-code" }, "The code your authenticator app shows now"), code,
    h("button", { class: `button wide${beside ? "" : " primary"}`, type: "submit", "data-proves": true }, "Prove it"));
  form.addEventListener("submit", (event) => attempt(event, async () => ({ password: password.value, code: code.value })));
  return form;
}
