// The table of roles is on the page already: this says why of the cell somebody is at, and shows one role alone.

import "../frame.js";
import { byId, setText } from "../dom.js";

const NARROW = matchMedia("(max-width: 720px)");
const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const table = byId("roles");
const only = byId("only");
const rows = [...table.tBodies[0].rows];
const shownIn = (row) => [...row.cells].filter((cell) => cell.dataset.why && !cell.hidden);

let forWantOfRoom = false;

/** On a phone there is room for one role; once there is room again, all are back, unless somebody chose one. */
function fit() {
  if (NARROW.matches && !only.value) {
    only.value = only.options[1].value;
    forWantOfRoom = true;
  } else if (!NARROW.matches && forWantOfRoom) {
    only.value = "";
    forWantOfRoom = false;
  }
  narrow();
}

/** One role's column, or all. */
function narrow() {
  for (const cell of table.querySelectorAll("[data-column]")) cell.hidden = only.value !== "" && cell.dataset.column !== only.value;
  enter(shownIn(rows[0])[0]);
}

/** The one cell that the tab key comes to. */
function enter(cell) {
  for (const one of table.querySelectorAll('td[tabindex="0"]')) one.tabIndex = -1;
  cell.tabIndex = 0;
}

function explain(cell) {
  enter(cell);
  for (const one of table.querySelectorAll(".chosen")) one.classList.remove("chosen");
  cell.classList.add("chosen");
  setText(byId("why"), cell.dataset.why);
}

table.addEventListener("focusin", (event) => event.target.dataset.why && explain(event.target));
table.addEventListener("keydown", (event) => {
  const move = MOVES[event.key];
  if (!move || !event.target.dataset.why) return;
  event.preventDefault();
  const row = event.target.parentElement;
  const at = shownIn(row).indexOf(event.target);
  const to = rows[rows.indexOf(row) + move[0]];
  (to && shownIn(to)[at + move[1]])?.focus();
});
only.addEventListener("change", () => {
  forWantOfRoom = false;
  fit();
});
NARROW.addEventListener("change", fit);
fit();
byId("page").removeAttribute("aria-busy");
