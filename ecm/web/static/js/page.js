// What the server wrote into the page: who is here, what they may do, the authority's zone and words.

const data = document.body.dataset;

export const page = {
  static: data.static,
  zone: data.zone,
  name: data.name,
  may: new Set(data.may.split(" ")),
  labels: JSON.parse(data.labels),
  visit: data.visit,
};
