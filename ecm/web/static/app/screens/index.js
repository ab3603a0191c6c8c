// Which screen stands at which address after the #.

import { visitOf } from "../day.js";
import { code } from "./code.js";
import { held } from "./held.js";
import { kept } from "./kept.js";
import { late } from "./late.js";
import { leave } from "./leave.js";
import { logOutScreen } from "./log-out.js";
import { more } from "./more.js";
import { noReply } from "./no-reply.js";
import { report } from "./report.js";
import { scan } from "./scan.js";
import { sos } from "./sos.js";
import { today } from "./today.js";
import { unplanned } from "./unplanned.js";
import { visitScreen } from "./visit.js";

const ALONE = { "": today, scan, more, kept, held, sos, report, unplanned, "log-out": logOutScreen };
const OF_A_VISIT = { visit: visitScreen, late, leave, code, report, "no-reply": noReply };

/** `#/visit/V-1`, `#/sos`. A visit that is no longer there leads to today's. */
export function screenAt(hash) {
  const [name, key] = hash.replace(/^#\//, "").split("/");
  if (key !== undefined && OF_A_VISIT[name]) {
    const visit = visitOf(decodeURIComponent(key));
    return visit ? OF_A_VISIT[name](visit.key) : today();
  }
  return (ALONE[name] || today)();
}
