// The sheet of QR codes that is cut up and put into homes: an initial and an area, never an address.

import { drawn } from "../dialogs.js";
import { h } from "../dom.js";
import { many } from "../strings.js";

export function sheet(tags) {
  if (!tags.length) return h("div", { hidden: true });
  return h("section", { class: "sheet", "aria-labelledby": "sheet-title" },
    h("h2", { id: "sheet-title", class: "no-print" }, `The sheet: ${many(tags.length, "QR code")}`),
    h("ul", { class: "labels" }, tags.map((one) => h("li", { class: "label" }, drawn(one.qr, `QR code of ${one.id}`),
      h("div", {}, h("b", { class: "whose" }, one.short_name), h("p", {}, one.area ?? ""), h("p", { class: "how" }, "Scan with the phone’s camera when you come and when you leave."), h("p", { class: "id" }, one.id), one.label !== "home" && h("p", {}, one.label))))));
}
