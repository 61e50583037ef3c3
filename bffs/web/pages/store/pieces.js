// What several pages show: pictures, prices, stars, stock, cards of products, and what stands for a missing part.
import { el, icon } from "../shared/dom.js";
import { span } from "../shared/format.js";
import { money } from "../shared/money.js";
import { isWhole } from "../shared/parts.js";
import { link } from "./links.js";
import { daysWords, ratingWords, reasonWords, stockWords, wayWords } from "./words.js";

/** Draws a picture on a square of its own, so that nothing moves when it comes. Beside a title it needs no `alt`. */
export function picture(image, { size = 320, alt = "", eager = false, class: classes = "" } = {}) {
  const frame = el("span", { class: `shot ${classes}`.trim() });
  if (!image) return frame;
  const attributes = { class: "picture", src: image.url, alt, width: size, height: size, decoding: "async", loading: eager ? "eager" : "lazy" };
  const shown = el("img", { ...attributes, onerror: () => frame.classList.add("is-broken") });
  frame.append(shown);
  return frame;
}

/** Draws a price with what it was before; `price` is {price, listPrice}, or null if it is not known. */
export function priceTag(price, { class: classes = "", from = false } = {}) {
  if (!price) return unknown("price not known");
  const { price: now, listPrice: before } = price;
  const was = before && [el("span", { class: "sr" }, " instead of "), el("s", {}, money(before.amount, before.currency, { isBare: classes === "" }))];
  return el("span", { class: `price ${classes}`.trim() }, from && el("span", { class: "from" }, "from "), el("b", {}, money(now.amount, now.currency)), was && [" ", was]);
}

/** Draws the average of the reviews and their number; `rating` is null if it is not known. */
export function stars(rating) {
  if (!rating) return unknown("rating not known");
  if (!rating.count) return el("span", { class: "rating is-none" }, ratingWords(rating));
  return el(
    "span",
    { class: "rating" },
    icon("star", { size: 11 }),
    el("span", { class: "sr" }, ratingWords(rating)),
    el("span", { "aria-hidden": "true" }, rating.average.toFixed(1), " ", el("i", {}, `(${rating.count})`)),
  );
}

/** Draws five stars, of which `rating` are filled. */
export function fiveStars(rating) {
  const all = [1, 2, 3, 4, 5].map((one) => icon("star", { size: 14, class: one <= Math.round(rating) ? "is-on" : "is-off" }));
  return el("span", { class: "five", role: "img", "aria-label": `${rating} of 5 stars` }, all);
}

/** Draws whether a product is in stock, and how soon it is there where `stock` says so. */
export function stockTag(stock) {
  const { kind, text } = stockWords(stock);
  if (kind === "unknown") return unknown(text);
  const way = kind === "out" ? null : stock.standardDelivery;
  return el("span", { class: `stock is-${kind}` }, way ? `${text} · ${daysWords(way)}` : text);
}

/** Draws the ways to get a product, with days and price. */
export function deliveryList(ways) {
  const row = ({ method, minDays, maxDays, price }) => [
    el("dt", {}, wayWords(method)),
    el("dd", {}, daysWords({ minDays, maxDays })),
    el("dd", { class: "num" }, price.amount ? money(price.amount, price.currency) : "free"),
  ];
  return el("dl", { class: "delivery", "aria-label": "Delivery" }, ways.flatMap(row));
}

/** Draws a few words where a value is not known. */
export function unknown(text) {
  return el("span", { class: "note is-fallback" }, icon("fallback", { size: 11 }), text);
}

/** Draws how old a part is, beside its heading; null if it is fresh. */
export function ageOf(part) {
  if (part?.state !== "stale") return null;
  return el("span", { class: "age" }, icon("stale", { size: 12 }), `${span(part.age)} old`);
}

/** Draws a heading with the age of the part below it. */
export function heading(text, part, { level = "h2", id = null } = {}) {
  return el("div", { class: "heading" }, el(level, { id }, text), ageOf(part));
}

/** Draws the sentence that takes the place of a part: it is as high as what it stands for. */
export function missing(part, sentence, { class: classes = "" } = {}) {
  const forbidden = part?.state === "forbidden";
  const reason = forbidden ? "this sign-in has no permission for it" : reasonWords(part?.reason ?? "");
  return el(
    "div",
    { class: `gap is-${forbidden ? "forbidden" : "missing"} ${classes}`.trim() },
    icon(forbidden ? "forbidden" : "missing", { size: 14 }),
    el("p", {}, el("b", {}, sentence), reason && ` ${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`),
  );
}

/** Whether a list is empty because its part is not there. */
export function isGone(value, part) {
  return value === null || value === undefined || (value.length === 0 && !isWhole(part));
}

/** Draws a product in a list; `deal` has the price of an offer. */
export function card(product, { deal = null, eager = false } = {}) {
  if (!product) return lostCard(deal);
  const price = deal ?? product.price;
  const cut = deal?.discountPercent ?? product.price?.discountPercent;
  const shot = picture(product.image, { eager });
  if (cut > 0) shot.append(el("span", { class: "cut" }, `−${cut} %`));
  return el(
    "li",
    { class: "product" },
    shot,
    el("a", { class: "name", href: link(`/products/${product.id}`) }, product.title),
    priceTag(price),
    stars(product.rating),
    stockTag(product.stock),
  );
}

// The catalogue is away: the place stays, with what is known.
function lostCard(deal) {
  return el("li", { class: "product is-lost" }, picture(null), el("span", { class: "name" }, "Product not known"), deal ? priceTag(deal) : unknown("price not known"), el("span", { class: "rating" }), el("span", { class: "stock" }));
}

/** Draws products side by side. */
export function shelf(cards, { class: classes = "" } = {}) {
  return el("ul", { class: `shelf ${classes}`.trim() }, cards);
}

/** Draws the places of products before they are loaded. */
export function emptyShelf(count, { class: classes = "" } = {}) {
  const one = () => el("li", { class: "product" }, el("span", { class: "shot bone" }), el("span", { class: "name" }, el("span", { class: "bone is-wide" })), el("span", { class: "bone is-price" }), el("span", { class: "bone is-short" }));
  return el("ul", { class: `shelf ${classes}`.trim(), "aria-hidden": "true" }, Array.from({ length: count }, one));
}

/** Draws a line of text before it is loaded; `width` is wide, title, price or short. */
export function bone(width = "wide") {
  return el("span", { class: `bone is-${width}`, "aria-hidden": "true" });
}

/** Draws a button; `kind` is main (ink) or plain. */
export function button(label, { kind = "plain", ...attributes } = {}) {
  return el("button", { type: "button", class: kind === "main" ? "button is-large is-main" : "button is-large", ...attributes }, label);
}

/** Draws the place of a message beside the control that it is about; say(text, state) fills it. */
export function reply() {
  const node = el("p", { class: "reply", role: "status" });
  const say = (text, state = "ok") => {
    node.className = text ? `reply is-${state}` : "reply";
    node.replaceChildren(...(text ? [icon(state, { size: 13 }), el("span", {}, text)] : []));
  };
  return { node, say };
}
