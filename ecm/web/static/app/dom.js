// Elements without templates: h("p", {class: "quiet"}, "7 min"). Text is always text, never markup.

import { APP_VERSION } from "./version.js";

const SVG = "http://www.w3.org/2000/svg";

export function h(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function icon(name) {
  const use = filled(document.createElementNS(SVG, "use"), { href: `/static/${APP_VERSION}/app/icons.svg#${name}` }, []);
  return filled(document.createElementNS(SVG, "svg"), { class: "icon", "aria-hidden": "true" }, [use]);
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Makes `children` what is inside `parent`. */
export function fill(parent, children) {
  while (parent.firstChild) parent.firstChild.remove();
  parent.append(...some(children));
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...some(children));
  return element;
}

const some = (children) => [children].flat(Infinity).filter((child) => child != null && child !== false && child !== "");
