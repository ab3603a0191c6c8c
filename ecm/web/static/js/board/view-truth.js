// What is true about the board itself: live or not, since when, and what it last heard.

import { byId, setText } from "../dom.js";
import { ago, dayOf, withSeconds } from "../time.js";

export class TruthView {
  #since = null;
  #cut = false;
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
    byId("pill").className = `pill ${trouble ? "cut" : live ? "live" : ""}`;
    setText(byId("pill-word"), trouble ? "NOT LIVE" : loading ? "Loading" : "LIVE");
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
    if (alarm) parts.push(`alarm path proved ${withSeconds(alarm).slice(0, 5)}`);
    return parts.join(" · ");
  }
}
