// What is true about the board itself: live or not, since when, and what it last heard.

import { byId, setText } from "../dom.js";
import { capital } from "../strings.js";
import { ago, dayOf, withSeconds } from "../time.js";

const ALARMS_UNPROVED_MS = 120_000; // of real time: an idle worker proves the path every few seconds

export class TruthView {
  #since = null;
  #cut = false;
  #unproved = "";
  #heartbeat = {};

  /** `said(words)` is for who cannot see that the banner went. */
  constructor(line, clock, said) {
    this.line = line;
    this.said = said;
    this.clock = clock;
  }

  heard(heartbeat) {
    this.#heartbeat = { ...this.#heartbeat, ...heartbeat };
  }

  /** Every second, and at once when a frame comes. `lastTrue` is the service's time when all was last well. */
  render(loading, lastTrue) {
    const now = this.clock.now();
    const clock = byId("clock");
    if (this.clock.known) {
      setText(clock, withSeconds(now));
      clock.title = dayOf(now);
    }
    const trouble = this.line.trouble();
    const live = !trouble && !loading;
    if (live && this.#cut) this.said("Live again.");
    this.#cut = Boolean(trouble) || (this.#cut && !live);
    this.#since = trouble ? (this.#since ?? lastTrue) : null;
    const unproved = live ? this.#alarmsUnproved(now) : "";
    if (unproved && !this.#unproved) this.said(`Warning: ${unproved}.`);
    if (live) this.#unproved = unproved;
    byId("pill").className = `pill ${trouble ? "cut" : unproved ? "unproved" : live ? "live" : ""}`;
    setText(byId("pill-word"), trouble ? "NOT LIVE" : loading ? "Loading" : unproved ? "ALARMS NOT PROVED" : "LIVE");
    const warning = byId("unproved");
    warning.hidden = !unproved;
    if (unproved) setText(warning, `${capital(unproved)}: somebody may not be told of what is late or missed. The board itself is live: watch it, and ring whoever runs this service.`);
    setText(byId("pill-more"), live ? this.#more(now) : "");
    const banner = byId("not-live");
    banner.hidden = !trouble;
    document.body.classList.toggle("is-stale", Boolean(trouble));
    const what = loading ? "Not all of the day could be read yet" : "What you see may have changed";
    if (trouble) setText(banner, `NOT LIVE SINCE ${this.#since ? withSeconds(this.#since) : "the page was opened"} · ${trouble}. ${what}; the page keeps trying.`);
    const simulated = byId("simulated");
    simulated.hidden = this.clock.speed === 1;
    if (!simulated.hidden) setText(simulated, `Simulated clock ×${this.clock.speed}: ${dayOf(now)}. Nothing here happens to a real person.`);
  }

  #more(now) {
    const { last_check_in_at: checkIn, alarm_path_at: alarm, processing_behind_s: behind } = this.#heartbeat;
    const parts = [];
    if (behind > 30) parts.push(`check-ins are worked out ${Math.round(behind)} s late`);
    if (checkIn) parts.push(`last check-in ${ago(now - Date.parse(checkIn))}`);
    if (alarm && !this.#unproved) parts.push(`alarm path proved ${withSeconds(alarm).slice(0, 5)}`);
    return parts.join(" · ");
  }

  /** "alarms not proved since 07:30", or "" while they are. A scaled service's minutes pass quicker. */
  #alarmsUnproved(now) {
    const { alarm_path_at: alarm } = this.#heartbeat;
    if (alarm === undefined) return ""; // nothing was heard yet
    if (alarm === null) return "alarms were never proved";
    const old = (now - Date.parse(alarm)) / this.clock.speed > ALARMS_UNPROVED_MS;
    return old ? `alarms not proved since ${withSeconds(alarm).slice(0, 5)}` : "";
  }
}
