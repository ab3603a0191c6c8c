// Elements without templates: h("td", {class: "number"}, "7"). Text is always text, never markup.

import { page } from "./page.js";

const SVG = "http://www.w3.org/2000/svg";

export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

export function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `${page.static}/icons.svg#${name}` }));
}

export function tag(tone, iconName, words) {
  return h("span", { class: `tag ${tone}` }, iconName && icon(iconName), words);
}

export function byId(id) {
  return document.getElementById(id);
}

/** Makes `elements` the children of `parent`, moving only those that are out of place. Whoever has the focus keeps it. */
export function place(parent, elements) {
  const focused = focusIn(parent);
  const wanted = new Set(elements);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let at = parent.firstElementChild;
  for (const element of elements) {
    if (element === at) at = at.nextElementSibling;
    else parent.insertBefore(element, at);
  }
  if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
}

/** The element inside `parent` that has the focus, or null. */
export function focusIn(parent) {
  const focused = document.activeElement;
  return focused !== parent && parent.contains(focused) ? focused : null;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}
