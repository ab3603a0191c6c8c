// The line to the board: tickets, coming back, and knowing when what is shown may no longer be true.

import { ask } from "../api.js";

const SILENCE_MS = 30_000;
const TICKET_MS = 10_000;
const CLOSED_MS = 3_000;
const BEHIND_MS = 5_000;
const WORKER_SILENT_S = 90;
const LONGEST_PAUSE_MS = 10_000;

export class Line {
  #socket = null;
  #pause = 500;
  #openedAt = 0; // a new line is given as long to say something
  #timer = null;
  #lastFrame = performance.now();
  #closedAt = performance.now();
  #behindSince = null;
  #said = {};

  /** `on.frame(frame, bytes)`; `wish()` is {date}; `held()` is {epoch, position, date}. */
  constructor(on) {
    this.on = on;
  }

  start() {
    this.#connect();
    addEventListener("online", () => this.again());
    document.addEventListener("visibilitychange", () => document.hidden || this.#socket || this.again());
  }

  /** Now, without waiting for the pause to end. */
  again() {
    clearTimeout(this.#timer);
    this.#pause = 500;
    if (this.#socket === null) this.#connect();
  }

  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Why the page may be wrong, or "" when it is live. */
  trouble() {
    const at = performance.now();
    if (this.#closedAt !== null && at - this.#closedAt > CLOSED_MS) return "the connection is cut";
    if (at - this.#lastFrame > SILENCE_MS) return "nothing was heard for 30 seconds";
    if (this.#behindSince !== null && at - this.#behindSince > BEHIND_MS) return "the board is behind the database";
    if (this.#said.reading === false) return "the database does not answer";
    const age = this.#said.worker_age_s;
    if (age !== undefined && (age === null || age > WORKER_SILENT_S)) return "nothing is working check-ins out just now";
    return "";
  }

  /** Called now and then: a line that went silent is cut, so that it comes back. */
  watch() {
    if (this.#socket && performance.now() - Math.max(this.#lastFrame, this.#openedAt) > SILENCE_MS) this.#cut();
  }

  async #connect() {
    this.#socket = undefined; // on its way
    let ticket;
    try {
      ({ ticket } = await ask("POST", "/board/tickets", undefined, {}, { within: TICKET_MS }));
    } catch (problem) {
      if (problem.status === 403) return this.on.refused(problem);
      return this.#later();
    }
    const url = new URL(`/board/live?ticket=${encodeURIComponent(ticket)}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = (this.#socket = new WebSocket(url));
    this.#openedAt = performance.now();
    socket.onmessage = (event) => this.#heard(socket, event.data);
    socket.onclose = () => socket === this.#socket && this.#later();
  }

  #heard(socket, text) {
    if (socket !== this.#socket) return;
    this.#lastFrame = performance.now();
    const frame = JSON.parse(text);
    if (frame.type === "hello" && !socket.greeted) {
      socket.greeted = true;
      const { epoch, position, date } = this.on.held();
      const wish = this.on.wish();
      this.#closedAt = null;
      this.#pause = 500;
      // What is held of another day is no beginning: a lid closed yesterday, a line cut across midnight.
      const resumes = epoch === frame.epoch && position >= 0 && date === (wish.date ?? frame.date);
      this.on.frame(frame);
      if (!resumes) this.on.frame({ type: "resync" });
      this.send(resumes ? { type: "resume", epoch, position, held_date: date, ...wish } : { type: "filter", ...wish });
      return;
    }
    if (frame.type === "heartbeat") this.#said = { ...this.#said, ...frame };
    this.on.frame(frame);
    if (frame.type === "heartbeat") {
      const behind = frame.head > this.on.held().position && this.on.held().position >= 0;
      this.#behindSince = behind ? (this.#behindSince ?? performance.now()) : null;
    }
  }

  #cut() {
    const socket = this.#socket;
    this.#later();
    socket?.close();
  }

  #later() {
    this.#socket = null;
    this.#closedAt ??= performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), this.#pause * (0.75 + Math.random() / 2));
    this.#pause = Math.min(this.#pause * 1.7, LONGEST_PAUSE_MS);
  }
}
