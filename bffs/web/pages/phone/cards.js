// Products as the phone shows them: a picture, a title, a price.
import { el, icon } from "../shared/dom.js";
import { money } from "../shared/money.js";
import { gap } from "./place.js";
import { isGone } from "./words.js";

/** A square picture; a decoration where the title stands beside it, so its text is then empty. */
export function picture(url, { size, alt = "", isLazy = true } = {}) {
  const box = el("span", { class: "picture" });
  if (!url) return box;
  const image = el("img", { src: url, alt, width: size, height: size, loading: isLazy ? "lazy" : "eager", decoding: "async" });
  image.addEventListener("error", () => image.remove());
  box.append(image);
  return box;
}

/** "€90.90 −50 %", or that the price is not there; `part` says why. */
export function price(value, part) {
  const isWhy = isGone(part) && gap(part, "Price");
  if (!value) return isWhy || el("span", { class: "note is-fallback" }, icon("fallback", { size: 11 }), "price not known");
  const saving = value.discount_percent > 0 && el("span", { class: "saving" }, `−${value.discount_percent} %`);
  return el("span", { class: "price" }, el("b", {}, money(value.amount, value.currency)), saving);
}

/** A product of a grid or of a row that scrolls. */
export function card(product) {
  const text = el("span", { class: "card-title" }, product.title);
  const link = el("a", { href: `#/product/${encodeURIComponent(product.id)}`, class: "card" });
  link.append(picture(product.image, { size: 160 }), text, price(product.price));
  return el("li", {}, link);
}

/** A product of a list: a small picture, title and price beside it. */
export function row(product) {
  const text = el("span", { class: "row-text" }, el("span", { class: "row-title" }, product.title), price(product.price));
  const link = el("a", { href: `#/product/${encodeURIComponent(product.id)}`, class: "row" });
  link.append(picture(product.image, { size: 64 }), text);
  return el("li", {}, link);
}

/** Empty boxes of the same size, while products load. */
export function cardBones(number) {
  return Array.from({ length: number }, () =>
    el("li", { class: "card" }, el("span", { class: "bone is-square" }), el("span", { class: "bone is-two" })),
  );
}

export function rowBones(number) {
  return Array.from({ length: number }, () =>
    el("li", { class: "row" }, el("span", { class: "bone is-square" }), el("span", { class: "bone is-two" })),
  );
}
