// The office cut this phone off. It shows nothing about anybody any more, and still sends what it signed before.

import { h } from "../dom.js";
import { sendingNow } from "../frame.js";
import { inMemoryOnly, waiting } from "../state.js";
import { t } from "../words.js";
import { banner, card, link } from "./parts.js";

export function cutOff() {
  return {
    title: () => t("cutOffTitle"),
    key: () => [sendingNow()],
    draw: () => [
      banner("critical", h("p", {}, h("strong", {}, t("cutOff"))), h("p", {}, t("cutOffWhat"))),
      card(h("p", {}, sendingNow().words), waiting().length && !inMemoryOnly() ? h("p", {}, t("carryOn")) : "", link(t("whatIsKept"), "#/kept", "kept"), link(t("logOut"), "#/log-out", "door")),
    ],
  };
}
