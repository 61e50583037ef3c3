// The cart: quantities, prices, sums. A change is shown when the gateway has confirmed it.
import { el, icon, replace } from "../shared/dom.js";
import { money } from "../shared/money.js";
import { link } from "./links.js";
import { ageOf, bone, button, picture, priceTag, reply, stockTag } from "./pieces.js";
import { CART, REMOVE, SET } from "./queries.js";
import { stepper } from "./stepper.js";
import { totalsBox } from "./totals.js";
import { stockOf } from "./variants.js";
import { plural } from "./words.js";
import { change } from "./writes.js";

const SAVE_AFTER_MS = 350;

export const cart = {
  name: "cart",
  subject: "your cart",
  query: CART,
  needs: ["cart.lines[]"],
  title: () => "Your cart",
  cart: (body) => body.cart,
  draw: (view) => {
    const node = el("div", { class: "cart" });
    drawCart(node, view, view.body.cart);
    return node;
  },
  skeleton: () => [
    el("div", { class: "listed" }, bone("title")),
    el("div", { class: "split" }, el("ul", { class: "lines" }, [1, 2, 3].map(() => el("li", {}, el("span", { class: "shot bone" }), el("div", { class: "what" }, bone("wide"), bone("short"))))), el("div", { class: "side" }, el("section", { class: "box" }, bone("wide"), bone("wide")))),
  ],
};

function drawCart(node, view, found) {
  if (found.lines.length === 0) {
    replace(node, nothing());
    return;
  }
  const redraw = (next, parts) => {
    view.body.cart = next;
    view.shop.setCart(next);
    drawCart(node, { ...view, part: (name) => parts.find((one) => one.name === name) }, next);
  };
  replace(
    node,
    el("div", { class: "listed" }, el("h1", {}, "Your cart"), el("p", {}, plural(found.count, "item")), ageOf(view.part("cart"))),
    el(
      "div",
      { class: "split" },
      el("ul", { class: "lines" }, found.lines.map((line) => row(view, line, redraw))),
      el("div", { class: "side" }, totalsBox(found, view.part), el("a", { class: "button is-large is-main is-wide", href: link("/checkout") }, "Go to checkout"), el("p", { class: "fine" }, "Nothing is reserved or charged before you place the order.")),
    ),
  );
}

function nothing() {
  return el("section", { class: "panel" }, icon("cart", { size: 20 }), el("h1", { tabindex: "-1" }, "Your cart is empty"), el("p", {}, "What you put into it stays there, on every device on which you sign in."), el("div", { class: "row" }, el("a", { class: "button is-large is-main", href: link("/") }, "Look around"), el("a", { class: "button is-large", href: link("/orders") }, "Your orders")));
}

function row(view, line, redraw) {
  const { sku, quantity, product } = line;
  const { shop } = view;
  const title = product?.title ?? `Item ${sku}`;
  const stock = product?.stock ? stockOf(product.stock, sku) : null;
  const message = reply();
  let timer = 0;
  const amount = stepper({ id: `quantity-${sku}`, label: `Quantity of ${title}`, value: quantity, changed: (next) => plan(next) });
  const node = el("li", { id: `line-${sku}` });

  function plan(next) {
    clearTimeout(timer);
    message.say("");
    timer = setTimeout(() => save(`${sku}=${next}`, SET, { sku, quantity: next }), SAVE_AFTER_MS);
  }

  async function save(intent, query, variables) {
    clearTimeout(timer);
    node.setAttribute("aria-busy", "true");
    const done = await change(shop, `${shop.customer.id} ${intent}`, query, variables);
    node.setAttribute("aria-busy", "false");
    if (done.ok) {
      const next = done.body.setCartItem ?? done.body.removeCartItem;
      redraw(next, done.parts);
      shop.announce(next.lines.length ? `Saved. Your cart holds ${plural(next.count, "item")}.` : "Your cart is empty.");
      return;
    }
    const again = button("Try again", { onclick: () => save(intent, query, variables) });
    message.say(done.text, "failed");
    message.node.append(again);
  }

  const remove = el("button", { type: "button", class: "button is-plain remove", "aria-label": `Remove ${title}`, onclick: () => takeOut() }, icon("trash"), el("span", {}, "Remove"));

  async function takeOut() {
    const following = node.nextElementSibling?.id ?? node.previousElementSibling?.id;
    await save(`${sku}=0`, REMOVE, { sku });
    const target = following ? document.querySelector(`#${CSS.escape(following)} .remove`) : document.querySelector(".panel h1");
    if (!node.isConnected) target?.focus({ preventScroll: true });
  }

  const name = product ? el("a", { class: "name", href: link(`/products/${product.id}?sku=${encodeURIComponent(sku)}`) }, title) : el("span", { class: "name" }, title);
  node.append(
    picture(line.image, { size: 96 }),
    el("div", { class: "what" }, name, el("span", {}, line.variant ?? sku), stockTag(stock)),
    el("div", { class: "how-many" }, amount.node, remove),
    lineSum(line),
    message.node,
  );
  return node;
}

// The price of the variant; of what is not known, no price is shown.
function lineSum({ unitPrice, quantity }) {
  if (!unitPrice) return el("p", { class: "sum" }, priceTag(null));
  const { amount, currency } = unitPrice;
  return el("p", { class: "sum" }, el("b", {}, money(amount * quantity, currency)), quantity > 1 && el("span", {}, `${money(amount, currency)} each`));
}
