// The cart and its purchase: what lies in it, how it is paid, and what became of the order.

import { el, icon, replace } from "../shared/dom.js";
import { words } from "../shared/format.js";
import { ages, amount, fullAmount, notKnown, picture, stock, symbolOf } from "./cells.js";
import { money } from "../shared/money.js";
import { PurchaseKey, purchaseOutcome } from "./purchase.js";
import { unknown } from "./product-table.js";
import { Screen } from "./screen.js";
import { table } from "./table.js";
import { brokenPart, count, missingSentence } from "./words.js";

export function cartView(app) {
  const purchase = new PurchaseKey(app.storage("purchase"), "office");
  const screen = new Screen(app, { what: "The cart", key: "home", rows: 8, draw, needs: ["payment_methods[]", "cart_products[]"] });
  const old = el("span", { class: "grow" });
  const result = el("div", { class: "purchase-result", role: "status" });
  const node = el("div", { class: "view" }, el("section", { class: "pane narrow", "aria-labelledby": "cart-title" }, el("header", { class: "pane-head" }, el("h1", { id: "cart-title" }, "Cart"), old), result, screen.node));
  let chosen = purchase.open?.method ?? null;
  let isBuying = false;
  let isBought = false; // the cart still holds what was bought: it is not bought again by one more click
  if (purchase.open) say({ kind: "unknown", steps: [], sentence: "An earlier purchase has no known outcome." });

  function draw(home, facts) {
    const { cart, payment_methods: methods } = home;
    replace(old, ages(facts, "cart", "stock", "price"));
    if (!cart) {
      const broken = brokenPart(facts, "cart");
      return el("p", {}, broken ? unknown(missingSentence("The cart is", broken)) : "There is no cart.");
    }
    if (!cart.lines.length) return el("p", { class: "muted" }, "The cart is empty. It is filled on the phone or on the web page.");
    chosen ??= (methods.find((one) => one.is_default) ?? methods[0])?.id ?? null;
    return [lines(home, facts), payment(methods, facts), actions(home)];
  }

  function payment(methods, facts) {
    if (!methods.length) {
      const broken = brokenPart(facts, "payment_methods");
      return el("p", {}, broken ? unknown(missingSentence("Payment methods are", broken)) : "There is no payment method; add one on the phone.");
    }
    const isFixed = purchase.open !== null;
    const choices = methods.map((method) =>
      el(
        "label",
        { class: "choice" },
        el("input", { type: "radio", name: "method", id: `method-${method.id}`, value: method.id, checked: method.id === chosen, disabled: isFixed || isBuying, onchange: () => (chosen = method.id) }),
        el("span", {}, method.label),
        method.is_default && el("span", { class: "muted" }, "default"),
      ),
    );
    return el("fieldset", { class: "methods" }, el("legend", {}, "Pay by"), choices);
  }

  function orderAgain() {
    isBought = false;
    replace(result);
    screen.redraw();
  }

  function actions({ cart, payment_methods: methods, cart_products: products }) {
    if (isBought) return el("div", { class: "buy" }, el("p", { class: "muted" }, "The cart still holds these lines."), el("button", { type: "button", id: "again", class: "small", onclick: orderAgain }, "Order them again"));
    const isOpen = purchase.open !== null;
    const estimate = estimateOf(cart, products);
    const label = isBuying ? "Placing the order …" : isOpen ? "Find out" : "Place order";
    return el(
      "div",
      { class: "buy" },
      el("p", {}, estimate === null ? "The sum is not known: a price is missing. The order says what it costs." : ["About ", el("b", {}, money(estimate, cart.currency)), el("span", { class: "muted" }, " at listed prices. The order fixes the price, with shipping.")]),
      el("span", { class: "grow" }),
      el("button", { type: "button", id: "buy", class: "button is-main", disabled: isBuying || !chosen || !methods.length, "aria-busy": isBuying ? "true" : null, onclick: buy }, label),
    );
  }

  async function buy() {
    if (isBuying) return;
    isBuying = true;
    const wasOpen = purchase.open !== null;
    const { key, method } = purchase.begin(chosen);
    replace(result);
    screen.redraw();
    const reply = await app.send("POST", "/v1/checkout", { payment_method_id: method }, { key, needs: ["order.lines[]", "order.totals.total", "payment.method", "payment.amount"] });
    const outcome = purchaseOutcome(reply, wasOpen);
    purchase.settle(outcome.kind);
    isBuying = false;
    isBought = outcome.kind === "bought";
    say(outcome);
    if (outcome.kind === "bought") await screen.load("/v1/dashboard", { fresh: true });
    else screen.redraw();
    if (reply.status === 401) app.onSignedOut();
  }

  function say({ kind, sentence, steps, receipt }) {
    if (kind === "bought") {
      replace(result, bought(receipt));
      return;
    }
    const state = { refused: "failed", again: "failed", unknown: "degraded" }[kind];
    const more = kind === "unknown" ? " “Find out” sends the same request again: it can't buy twice." : "";
    replace(
      result,
      el("div", { class: `notice is-${state}` }, icon(state, { size: 14 }), el("div", {}, el("p", {}, `${sentence}${more}`), steps.length > 0 && stepList(steps))),
    );
  }

  return {
    title: "Cart",
    node,
    show: () => screen.load("/v1/dashboard", { fresh: app.isFresh }),
    refresh: (options) => screen.load("/v1/dashboard", options),
    leave: () => {},
  };
}

function lines({ cart, cart_products: products }, facts) {
  const symbol = symbolOf(cart.currency);
  const rows = cart.lines.map((line) => ({ row: { line, found: products.find(({ product }) => product.id === line.product_id) ?? null } }));
  return table({
    label: "Lines of the cart",
    columns: [
      { key: "picture", head: "Picture", isHidden: true, class: "thumb", cell: ({ found }) => picture(found?.product) },
      { key: "sku", head: "SKU", class: "code", cell: ({ line }) => line.sku },
      { key: "title", head: "Product", class: "fill", cell: ({ line, found }) => (found ? el("a", { href: `#/products/${line.product_id}` }, found.product.title) : notKnown(facts, "summary")) },
      { key: "stock", head: "Stock", isNumber: true, cell: ({ line, found }) => stock({ stock: found?.stock?.skus.find(({ sku }) => sku === line.sku) ?? found?.stock }, facts) },
      { key: "price", head: `From ${symbol}`, isNumber: true, cell: ({ found }) => (found?.price ? amount(found.price.price) : notKnown(facts, "price", "summary")) },
      { key: "quantity", head: "Qty", isNumber: true, cell: ({ line }) => line.quantity },
    ],
    rows,
  });
}

// In minor units, at the listed price of each product; null if one is not known.
function estimateOf({ lines: all }, products) {
  const prices = new Map(products.map(({ product, price }) => [product.id, price?.price.amount ?? null]));
  const amounts = all.map(({ product_id: id, quantity }) => (prices.get(id) ?? null) === null ? null : prices.get(id) * quantity);
  return amounts.includes(null) ? null : amounts.reduce((sum, one) => sum + one, 0);
}

function stepList(steps) {
  return el("ol", { class: "steps" }, steps.map(({ name, state, word }) => el("li", { class: `step-${state}` }, name, ": ", el("b", {}, word))));
}

function bought({ order, payment }) {
  return el(
    "div",
    { class: "notice is-ok" },
    icon("ok", { size: 14 }),
    el(
      "div",
      {},
      el("p", {}, "Order ", el("a", { href: `#/orders/${order.id}` }, order.number), ` is placed: ${count(order.lines.length, "line")}, ${fullAmount(order.totals.total)}.`),
      el("p", {}, `${payment.method.label}: ${words(payment.status)}, ${fullAmount(payment.amount)}.`),
    ),
  );
}
