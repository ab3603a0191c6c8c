// A tag in a home was read: it shows the visit it belongs to, and the next check-in or check-out carries it.

import { hex, sha256, utf8 } from "./bytes.js";
import { visitOfTag } from "./day.js";
import { say } from "./frame.js";
import { change, state } from "./state.js";
import { t } from "./words.js";

/** `address`: its path and query. `method`: "qr" | "nfc" if known; a secure tag's address can only have been tapped. */
export async function tagRead(address, method) {
  const [path, query = ""] = address.split("?");
  const id = path.slice(path.lastIndexOf("/t/") + 3).replace(/^\/+|\/+$/g, "");
  const secure = /(^|&)e=/.test(query) && /(^|&)c=/.test(query);
  const digest = hex(await sha256(utf8(plain(id))));
  change({ tag: { address, method: method || (secure ? "nfc" : "qr"), read_at: Date.now(), digest } });
  showTagged();
}

/** The visit of the tag that was read; today's, if the phone knows of none. */
export function showTagged() {
  const visit = visitOfTag(state.tag.digest);
  location.hash = visit ? `#/visit/${encodeURIComponent(visit.key)}` : "#/";
  say(visit ? t("tagReadAt", { name: visit.name }) : t("tagRead"));
}

function plain(id) {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}
