// Changes of the cart. What is shown afterwards is what the gateway answered, never what was hoped for.
import { newKey } from "../shared/client.js";
import { isWhole } from "../shared/parts.js";
import { ADD, CART_CONTENT } from "./queries.js";
import { writeWords } from "./words.js";

/**
 * The keys of writes: a write that got no final answer has the same key and the same content when it is tried again.
 *
 * `of(intent, make)` returns the write that is pending for an intent, or a new one; `settle(intent)` ends it.
 */
export class Pending {
  constructor(makeKey = newKey) {
    this.makeKey = makeKey;
    this.writes = new Map();
  }

  of(intent, make = () => ({})) {
    if (!this.writes.has(intent)) this.writes.set(intent, { key: this.makeKey(), ...make() });
    return this.writes.get(intent);
  }

  has(intent) {
    return this.writes.has(intent);
  }

  settle(intent) {
    this.writes.delete(intent);
  }
}

/** Whether it is known that nothing was changed, so that another try is another write. */
export function isRefused({ status }) {
  return status >= 400 && status < 500 && ![408, 409, 425, 429].includes(status);
}

const pending = new Pending();

/**
 * Adds a number of a variant to the cart: {ok, text, inCart}.
 *
 * The gateway takes how many the cart is to hold, so it is read first where it is not known or old.
 */
export async function addToCart(shop, sku, quantity) {
  const intent = `${shop.customer.id} ${sku} +${quantity}`;
  if (!pending.has(intent)) {
    const before = await contentOf(shop);
    if (!before) return { ok: false, text: "Your cart does not answer, so nothing was added. Try again." };
    const inCart = quantityIn(before, sku);
    if (inCart + quantity > 99) return { ok: false, text: `Your cart holds ${inCart} of these already, and 99 at most.` };
    pending.of(intent, () => ({ target: inCart + quantity }));
  }
  const { key, target } = pending.of(intent);
  const answer = await shop.client.graphql(ADD, { sku, quantity: target }, { key, needs: ["setCartItem.lines[]"] });
  if (!answer.ok || !answer.body.setCartItem) {
    if (answer.problem && isRefused(answer.problem)) pending.settle(intent);
    return { ok: false, problem: answer.problem, text: writeWords(answer.problem ?? { status: 500, code: "", title: "" }) };
  }
  pending.settle(intent);
  const cart = answer.body.setCartItem;
  shop.setCart(cart);
  const inCart = quantityIn(cart, sku);
  return { ok: true, inCart, text: `Added: ${inCart} in your cart.` };
}

async function contentOf(shop) {
  const { lines, part, count } = shop.cart;
  if (lines && isWhole(part) && part?.state !== "stale") return { lines, count };
  const answer = await shop.client.graphql(CART_CONTENT, {}, { fresh: true, screen: "cart" });
  return answer.ok ? answer.body.cart : null;
}

/** Returns how many of a variant a cart holds. */
export function quantityIn(cart, sku) {
  return cart?.lines?.find((line) => line.sku === sku)?.quantity ?? 0;
}

/** Sends a change of one line: {ok, body, text}; `intent` names what is to be, so that a retry has the same key. */
export async function change(shop, intent, query, variables) {
  const { key } = pending.of(intent);
  const root = query.includes("removeCartItem(") ? "removeCartItem" : "setCartItem";
  const answer = await shop.client.graphql(query, variables, { key, needs: [`${root}.lines[]`] });
  if (answer.ok) {
    pending.settle(intent);
    return { ok: true, body: answer.body, parts: answer.facts.parts };
  }
  if (isRefused(answer.problem)) pending.settle(intent);
  return { ok: false, problem: answer.problem, text: writeWords(answer.problem) };
}
