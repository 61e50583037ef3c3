import assert from "node:assert/strict";
import { test } from "node:test";

import { addToCart, change, isRefused, Pending } from "../../../bffs/web/pages/store/writes.js";

const FAILED = { ok: false, status: 0, body: null, problem: { status: 0, code: "unreachable", title: "" }, facts: { parts: [] } };
const ok = (body) => ({ ok: true, status: 200, body, problem: null, facts: { parts: [] } });
const refusal = (status, title = "") => ({ ok: false, status, body: null, problem: { status, code: "", title }, facts: { parts: [] } });

/** A shop whose gateway answers with these, one after the other; `sent` is what it got. */
function shopOf(customer, answers, cart = { count: 3, lines: [{ sku: "a", quantity: 3 }] }) {
  const sent = [];
  const shop = {
    customer: { id: customer },
    cart,
    sent,
    setCart: (next) => (shop.cart = next),
    client: {
      async graphql(query, variables, { key } = {}) {
        sent.push({ name: query.match(/(?:query|mutation) (\w+)/)[1], variables, key });
        return answers.shift();
      },
    },
  };
  return shop;
}

test("adding sets how many the cart is to hold, and shows what it holds then", async () => {
  const shop = shopOf("add", [ok({ setCartItem: { count: 5, lines: [{ sku: "a", quantity: 5 }] } })]);

  const { ok: isDone, inCart } = await addToCart(shop, "a", 2);

  assert.deepEqual(shop.sent.map(({ variables }) => variables), [{ sku: "a", quantity: 5 }]);
  assert.deepEqual([isDone, inCart, shop.cart.count], [true, 5, 5]);
});

test("what the cart holds is asked for if it is not known", async () => {
  const held = { count: 1, lines: [{ sku: "a", quantity: 1 }] };
  const shop = shopOf("unknown", [ok({ cart: held }), ok({ setCartItem: held })], { count: null, lines: null });

  await addToCart(shop, "a", 1);

  assert.deepEqual(shop.sent.map(({ name }) => name), ["CartContent", "Add"]);
  assert.equal(shop.sent[1].variables.quantity, 2);
});

test("an old cart is not added to: it is read first", async () => {
  const old = { count: 9, lines: [{ sku: "a", quantity: 9 }], part: { state: "stale", age: 30 } };
  const held = { count: 1, lines: [{ sku: "a", quantity: 1 }] };
  const shop = shopOf("stale", [ok({ cart: held }), ok({ setCartItem: held })], old);

  await addToCart(shop, "a", 1);

  assert.equal(shop.sent[1].variables.quantity, 2);
});

test("nothing is sent if the cart can't be read", async () => {
  const shop = shopOf("lost", [FAILED], { count: null, lines: null });

  const { ok: isDone, text } = await addToCart(shop, "a", 1);

  assert.equal(isDone, false);
  assert.match(text, /nothing was added/);
  assert.equal(shop.sent.length, 1);
});

test("a retry without an answer adds once: same key, same number", async () => {
  const shop = shopOf("retry", [FAILED, ok({ setCartItem: { count: 4, lines: [{ sku: "a", quantity: 4 }] } })]);

  const first = await addToCart(shop, "a", 1);
  shop.cart = { count: 4, lines: [{ sku: "a", quantity: 4 }] }; // read meanwhile: the first try had worked
  await addToCart(shop, "a", 1);

  assert.equal(first.ok, false);
  assert.deepEqual(shop.sent[0], shop.sent[1]);
});

test("after an answer the same wish is another write", async () => {
  const held = (quantity) => ok({ setCartItem: { count: quantity, lines: [{ sku: "a", quantity }] } });
  const shop = shopOf("twice", [held(4), held(5)]);

  await addToCart(shop, "a", 1);
  await addToCart(shop, "a", 1);

  assert.deepEqual(shop.sent.map(({ variables }) => variables.quantity), [4, 5]);
  assert.notEqual(shop.sent[0].key, shop.sent[1].key);
});

test("a refusal is said in its words, and ends the write", async () => {
  const shop = shopOf("refused", [refusal(422, "Only 2 left."), refusal(422, "Only 2 left.")]);

  const { text } = await addToCart(shop, "a", 1);
  await addToCart(shop, "a", 1);

  assert.equal(text, "Only 2 left.");
  assert.notEqual(shop.sent[0].key, shop.sent[1].key);
});

test("a cart holds 99 of a variant at most", async () => {
  const shop = shopOf("most", [], { count: 99, lines: [{ sku: "a", quantity: 99 }] });

  const { ok: isDone } = await addToCart(shop, "a", 1);

  assert.equal(isDone, false);
  assert.equal(shop.sent.length, 0);
});

test("a change that failed has the same key when it is tried again", async () => {
  const shop = shopOf("change", [refusal(503), ok({ setCartItem: { count: 1, lines: [] } })]);

  const first = await change(shop, "a=1", "mutation SetQuantity { x }", {});
  const second = await change(shop, "a=1", "mutation SetQuantity { x }", {});

  assert.deepEqual([first.ok, second.ok], [false, true]);
  assert.equal(shop.sent[0].key, shop.sent[1].key);
});

test("each intent has a key of its own until it is settled", () => {
  let number = 0;
  const pending = new Pending(() => ++number);

  const [one, other, again] = [pending.of("a"), pending.of("b"), pending.of("a")];
  pending.settle("a");

  assert.deepEqual([one.key, other.key, again.key, pending.of("a").key], [1, 2, 1, 3]);
});

for (const [status, expected] of [[400, true], [404, true], [422, true], [403, true], [409, false], [429, false], [500, false], [503, false], [0, false]]) {
  test(`status ${status} ${expected ? "is" : "is not"} a refusal`, () => assert.equal(isRefused({ status }), expected));
}
