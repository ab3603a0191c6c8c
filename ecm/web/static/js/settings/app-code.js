// An authenticator app being set up: its QR code, the same to type, and a field for the first figures it shows.

import { drawn, field, secretShown } from "../dialogs.js";
import { h } from "../dom.js";

export function appCode({ secret, qr }) {
  const code = h("input", { id: "app-code", class: "code-input", required: true, maxlength: 12, inputmode: "numeric", autocomplete: "one-time-code", "data-wrong": "Write the six figures that the app shows." });
  return {
    code,
    body: [
      h("div", { class: "with-qr" }, drawn(qr, "QR code for the authenticator app"),
        h("div", { class: "once" }, h("p", { class: "quiet small" }, "No camera? Type this into the app:"), secretShown(secret.replace(/(.{4})(?=.)/g, "$1 ")))),
      field("The six figures", code),
    ],
  };
}
