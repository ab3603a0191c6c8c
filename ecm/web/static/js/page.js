// What the server wrote into the page: who is here, what they may do, the authority's zone and words.

const data = document.body.dataset;

const BOARD = "ecm board";

/** The board as this tab last saw it, filters and all: where a visit's page leads back to. */
export const rememberBoard = (asked) => sessionStorage.setItem(BOARD, asked);
export const boardAddress = () => `/board${sessionStorage.getItem(BOARD) ?? ""}`;

export const page = {
  static: data.static,
  zone: data.zone,
  name: data.name,
  may: new Set(data.may.split(" ")),
  labels: JSON.parse(data.labels),
  visit: data.visit,
  worker: data.worker,
};
