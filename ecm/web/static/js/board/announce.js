// A new critical row is said once, in words for a screen reader and, when asked for, a short sound.

import { byId } from "../dom.js";
import { NEEDS } from "../strings.js";
import { hourMinute } from "../time.js";

const KEY = "ecm sound";
const GATHER_MS = 1_000;

export class Announcer {
  #known = null;
  #context = null;
  #unsaid = [];
  #timer = null;

  get on() {
    return localStorage.getItem(KEY) === "on";
  }

  toggle() {
    localStorage.setItem(KEY, this.on ? "off" : "on");
    if (this.on) this.#beep();
    return this.on;
  }

  /** Forgets what was said: after a reload of everything, or with other filters, nothing in it is new. */
  begin() {
    this.#known = null;
  }

  hear(needs) {
    const critical = needs.filter((need) => need.tone === "critical");
    const fresh = this.#known ? critical.filter((need) => !this.#known.has(keyOf(need))) : [];
    this.#known = new Set([...(this.#known ?? []), ...critical.map(keyOf)]);
    if (fresh.length === 0) return;
    this.#unsaid.push(...fresh);
    this.#timer ??= setTimeout(() => this.#sayAll(), GATHER_MS);
    if (this.on) this.#beep();
  }

  say(words) {
    byId("announcer").textContent = words;
  }

  /** A burst is one sentence: each new one would cut the one before short. */
  #sayAll() {
    const fresh = this.#unsaid;
    [this.#unsaid, this.#timer] = [[], null];
    this.say(fresh.length > 3 ? `${fresh.length} new critical rows` : fresh.map(wordsOf).join(". "));
  }

  #beep() {
    this.#context ??= new AudioContext();
    const [tone, volume] = [this.#context.createOscillator(), this.#context.createGain()];
    tone.frequency.value = 660;
    volume.gain.setValueAtTime(0.15, this.#context.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, this.#context.currentTime + 0.4);
    tone.connect(volume).connect(this.#context.destination);
    tone.start();
    tone.stop(this.#context.currentTime + 0.4);
  }
}

const keyOf = (need) => `${need.visit.id} ${need.kind}`;

function wordsOf({ visit, kind }) {
  return `New: ${NEEDS[kind][0]}, ${visit.person} ${visit.area}, planned ${hourMinute(visit.planned_start)}, ${visit.provider.name}`;
}
