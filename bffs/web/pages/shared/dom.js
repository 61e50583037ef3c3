// Elements from scripts: text is always text, never HTML.
import { SHAPES } from "./icons.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an element: el("a", {href: "/store/", class: "card", onclick: open}, "Deals", …).
 *
 * Attributes that are false, null or undefined are left out, true is an empty attribute; `on…` takes a
 * function, `style` an object of properties ({"--share": "6%"}). Children are nodes, text, numbers and
 * lists of them; false and null are left out.
 */
export function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) set(node, name, value);
  node.append(...flat(children));
  return node;
}

function set(node, name, value) {
  if (value === false || value === null || value === undefined) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "style") for (const [key, one] of Object.entries(value)) node.style.setProperty(key, one);
  else node.setAttribute(name, value === true ? "" : value);
}

function flat(children) {
  const shown = children.flat(Infinity).filter((child) => child !== false && child !== null && child !== undefined);
  return shown.map((child) => (child instanceof Node ? child : String(child)));
}

/**
 * Replaces the children of a node. The focus goes to the new element with the id of the one that had
 * it, and what was typed into a field stays.
 */
export function replace(node, ...children) {
  const focused = node.contains(document.activeElement) ? document.activeElement : null;
  const { id, value, selectionStart, selectionEnd } = focused ?? {};
  node.replaceChildren(...flat(children));
  const next = id && node.querySelector(`#${CSS.escape(id)}`);
  if (!next) return;
  next.focus({ preventScroll: true });
  if (!["INPUT", "TEXTAREA"].includes(next.tagName) || next.tagName !== focused.tagName) return;
  next.value = value;
  if (typeof selectionStart === "number") next.setSelectionRange(selectionStart, selectionEnd);
}

/** Draws one of the icons, `size` pixels wide. It is hidden from screen readers, unless it has a `label`. */
export function icon(name, { size = 16, label = "", class: classes = "" } = {}) {
  const { box, shapes } = SHAPES[name];
  const svg = document.createElementNS(SVG, "svg");
  const naming = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  const frame = { viewBox: `0 0 ${box} ${box}`, width: size, height: size, focusable: "false" };
  for (const [key, value] of Object.entries({ ...frame, ...naming })) svg.setAttribute(key, value);
  svg.setAttribute("class", `icon ${classes}`.trim());
  svg.append(...shapes.map(([tag, attributes]) => shape(tag, attributes)));
  return svg;
}

function shape(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}
