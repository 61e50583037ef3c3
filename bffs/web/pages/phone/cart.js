// The cart: lines, their quantities, the sum, and the way to the checkout.
import { el, icon, replace } from "../shared/dom.js";
import { money } from "../shared/money.js";
import { picture } from "./cards.js";
import { Quantity } from "./quantity.js";
import { gap } from "./place.js";
import { redraw } from "./redraw.js";
import { explanation, Screen } from "./screen.js";
import { cause, count, isGone, noAnswer } from "./words.js";

const needs = ["lines[]", "count"];

/** Opens the cart in `node`. */
export function openCart(app, node) {
  const list = el("ul", { class: "lines" });
  const sum = el("div", { class: "sum" });
  const buy = el("div", { class: "bar" });
  const rows = new Map();
  const screen = new Screen(app, node, {
    title: "Cart",
    saves: "cart",
    load: ({ fresh }) => app.api.get(`/v1/cart?width=${app.width}`, { fresh, needs }),
    draw,
    drawSkeleton: () => redraw(node, "bones", () => el("ul", { class: "lines", "aria-hidden": "true" }, bones(3))),
  });
  app.shell.setBar(buy);

  function draw(body, parts) {
    const find = (name) => parts.find((part) => part.name === name);
    app.shell.setCart(body.count);
    if (!body.lines.length) return drawEmpty();
    if (!list.isConnected) replace(node, list, sum);
    for (const line of body.lines) {
      if (!rows.has(line.sku)) rows.set(line.sku, new Line(line, write));
      rows.get(line.sku).update(line, find);
    }
    for (const [sku] of rows) if (!body.lines.some((line) => line.sku === sku)) rows.delete(sku);
    const nodes = body.lines.map(({ sku }) => rows.get(sku).node);
    const hadFocus = list.contains(document.activeElement);
    if (nodes.some((one, at) => list.children[at] !== one) || list.children.length !== nodes.length) list.replaceChildren(...nodes);
    if (hadFocus && !list.contains(document.activeElement)) app.shell.title.focus({ preventScroll: true });
    const total = totalOf(body.lines);
    redraw(sum, [total, body.count, body.lines], () => [el("span", {}, count(body.count, "item")), totalWords(total, body.lines)]);
    redraw(buy, [total], () => el("a", { class: "button is-main", href: "#/checkout" }, total ? `Check out · ${money(total.amount, total.currency)}` : "Check out"));
  }

  function drawEmpty() {
    rows.clear();
    replace(list);
    redraw(buy, null, () => []);
    replace(node, explanation("Your cart is empty.", { label: "Find products", run: () => app.go("/search") }, "cart"));
  }

  async function write(sku, quantity, key) {
    const path = `/v1/cart/items/${encodeURIComponent(sku)}?width=${app.width}`;
    const result = quantity
      ? await app.api.send("PUT", path, { quantity }, { key, needs })
      : await app.api.send("DELETE", path, undefined, { key, needs });
    app.report(result.facts);
    if (result.ok) screen.accept(result);
    return result;
  }

  return screen;
}

/** One line of the cart, with its stepper. */
class Line {
  constructor(line, write) {
    this.quantity = new Quantity(line.quantity, (number, key) => write(line.sku, number, key), (state) => this.#drawState(state));
    this.info = el("div", { class: "line-info" });
    this.stepper = el("div", { class: "stepper", role: "group" });
    this.wrong = el("div", { class: "line-wrong", role: "status" });
    this.node = el("li", { class: "line" }, this.info, this.stepper, this.wrong);
  }

  update(line, find) {
    this.line = line;
    const { quantity } = this;
    const isFree = !quantity.isSending && !quantity.problem;
    if (isFree && quantity.wanted === quantity.stored) quantity.stored = quantity.wanted = line.quantity;
    const states = [find("summary")?.state, find("price")?.state];
    redraw(this.info, [line.title, line.image, line.price, states], () => this.#draw(find));
    this.#drawState(quantity);
  }

  #draw(find) {
    const { title, sku, image, price } = this.line;
    const isUnnamed = title === sku && isGone(find("summary"));
    const each = price ? el("b", {}, money(price.amount, price.currency)) : gap(find("price"), "price") ?? "price not known";
    return [
      picture(image, { size: 64 }),
      el("span", { class: "row-text" }, el("span", { class: "row-title" }, title), el("span", { class: "price" }, each), isUnnamed && gap(find("summary"), "name")),
    ];
  }

  #drawState({ wanted, isSending, problem }) {
    const { title, sku } = this.line;
    this.stepper.setAttribute("aria-label", `Quantity of ${title}`);
    this.node.classList.toggle("is-sending", isSending);
    redraw(this.stepper, [wanted, sku], () => [
      button(`less-${sku}`, wanted === 1 ? "trash" : "minus", wanted === 1 ? `Remove ${title}` : `One less of ${title}`, () => this.quantity.set(this.quantity.wanted - 1)),
      el("output", {}, wanted || "–"),
      button(`plus-${sku}`, "plus", `One more of ${title}`, () => this.quantity.set(this.quantity.wanted + 1)),
    ]);
    redraw(this.wrong, problem, () => problem && [
      el("p", { class: "wrong" }, `Not changed: ${problem.status ? cause(problem) : noAnswer(problem)}.`),
      el("button", { type: "button", class: "button is-small", onclick: () => this.quantity.again() }, "Try again"),
      el("button", { type: "button", class: "button is-small is-plain", onclick: () => this.quantity.drop() }, "Leave it"),
    ]);
  }
}

function button(id, name, label, onclick) {
  return el("button", { id, type: "button", class: "step", "aria-label": label, onclick }, icon(name));
}

/** The sum of the lines in minor units; null if a price is not known. */
export function totalOf(lines) {
  if (!lines.length || lines.some(({ price }) => !price)) return null;
  return { amount: lines.reduce((sum, { price, quantity }) => sum + price.amount * quantity, 0), currency: lines[0].price.currency };
}

function totalWords(total, lines) {
  if (total) return el("b", {}, money(total.amount, total.currency));
  const unknown = lines.filter(({ price }) => !price).length;
  return el("span", { class: "is-unknown" }, `Sum not known: ${count(unknown, "price")} missing`);
}

function bones(number) {
  return Array.from({ length: number }, () => el("li", { class: "line" }, el("span", { class: "bone is-square" }), el("span", { class: "bone is-two" })));
}
