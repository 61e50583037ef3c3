// What one variant costs, whether it is there, and the button that puts it into the cart.
import { el, replace } from "../shared/dom.js";
import { ageOf, button, deliveryList, priceTag, reply, stockTag } from "./pieces.js";
import { stepper } from "./stepper.js";
import { changed, choices, isSoldOut, optionsOf, room, stockOf, variantWords } from "./variants.js";
import { addToCart, quantityIn } from "./writes.js";
import { link } from "./links.js";

const ONLY_SIZE = "ONE";
/** Draws the choice of a variant with its price, stock and cart button; `chosen(variant)` learns of each choice. */
export function buyBox({ shop, body: { product: one }, part, route }, { chosen = () => {} } = {}) {
  const { variants, options, stock } = one;
  let current = variants.find(({ sku }) => sku === (route.query.get("sku") ?? one.defaultSku)) ?? variants[0];
  const cost = el("p", { class: "cost" });
  const there = el("p", { class: "there" });
  const pickers = el("div", { class: "pickers" });
  const message = reply();
  const amount = stepper({ id: "quantity", label: "Quantity", value: 1 });
  const add = button("Add to cart", { kind: "main", id: "add", onclick: put });

  function show() {
    const mine = stockOf(stock, current.sku);
    const isOut = mine?.status === "out_of_stock";
    cost.replaceChildren(priceTag(priceOf(one, current.sku), { class: "is-big" }), ...nodes(ageOf(part("price"))));
    there.replaceChildren(stockTag(stock ? mine : null), ...nodes(ageOf(part("stock"))));
    replace(pickers, choices(variants, options).map((choice) => picker(choice)));
    const free = room(mine, shop.customer ? quantityIn(shop.cart, current.sku) : 0);
    amount.limit(Math.max(1, free));
    amount.disable(isOut);
    add.disabled = isOut;
    add.textContent = isOut ? "Sold out" : "Add to cart";
  }

  function picker({ name, label: title, values }) {
    const chosen = optionsOf(current)[name];
    const label = values.find(({ value }) => value === chosen)?.label;
    if (values.length === 1) return chosen === ONLY_SIZE ? null : el("p", { class: "only" }, el("b", {}, title), `: ${label}`);
    const one = ({ value, label: words }) => {
      const isOut = isSoldOut(variants, stock, current, name, value);
      const field = el("input", { type: "radio", name: `option-${name}`, id: `option-${name}-${value}`, value, checked: value === chosen, onchange: () => choose(name, value) });
      return el("label", { class: isOut ? "is-out" : "" }, field, name === "color" && el("span", { class: `dot is-${value.toLowerCase()}`, "aria-hidden": "true" }), el("span", {}, words), isOut && el("span", { class: "sr" }, ", sold out"));
    };
    return el("fieldset", { class: `picker is-${name}` }, el("legend", {}, title, values.length > 0 && el("span", {}, `: ${label}`)), el("div", {}, values.map(one)));
  }

  function choose(name, value) {
    current = changed(variants, current, name, value);
    history.replaceState(history.state, "", link(`/products/${one.id}?sku=${encodeURIComponent(current.sku)}`));
    message.say("");
    show();
    chosen(current);
    document.getElementById(`option-${name}-${value}`)?.focus();
    shop.announce(`${variantWords(current, options)}. ${there.textContent}`);
  }

  async function put() {
    if (!shop.customer) {
      shop.go(`/sign-in?${new URLSearchParams({ next: location.pathname.slice(link("").length) + location.search })}`);
      return;
    }
    add.disabled = true;
    add.textContent = "Adding …";
    message.say("");
    const done = await addToCart(shop, current.sku, amount.value());
    show();
    if (done.ok) amount.set(1);
    message.say(done.text, done.ok ? "ok" : "failed");
    add.focus({ preventScroll: true });
  }

  show();
  chosen(current);
  const inCart = shop.customer ? quantityIn(shop.cart, current.sku) : 0;
  if (inCart) message.say(`${inCart} in your cart.`, "ok");
  const ways = one.delivery?.length ? deliveryList(one.delivery) : el("p", { class: "delivery is-unknown" }, "Delivery times are not known.");
  return el("div", { class: "buy" }, cost, pickers, there, ways, el("div", { class: "row" }, amount.node, add), message.node);
}

/** Returns what a variant costs, with what the product cost before if it is the one that is reduced. */
function priceOf({ price, variantPrices }, sku) {
  const own = variantPrices.find((one) => one.sku === sku)?.price;
  if (!own) return price;
  return { price: own, listPrice: own.amount === price.price.amount ? price.listPrice : null };
}

function nodes(node) {
  return node ? [" ", node] : [];
}
