import assert from "node:assert/strict";
import { test } from "node:test";

import { categoryName, wayTo } from "../../../bffs/web/pages/store/links.js";
import { daysWords, loyaltyWords, orderStatus, paymentWords, plural, problemWords, ratingWords, reasonWords, stockWords, wayWords, writeWords } from "../../../bffs/web/pages/store/words.js";

for (const [stock, kind, text] of [
  [{ status: "in_stock", available: 54 }, "in", "In stock"],
  [{ status: "low", available: 2 }, "low", "Only 2 left"],
  [{ status: "out_of_stock", available: 0 }, "out", "Sold out"],
  [{ status: "in_stock", available: 0 }, "out", "Sold out"],
  [null, "unknown", "stock not known"],
]) {
  test(`stock: ${text} (${stock?.available})`, () => assert.deepEqual(stockWords(stock), { kind, text }));
}

test("a delivery takes a day or some", () => {
  assert.equal(daysWords({ minDays: 2, maxDays: 4 }), "2–4 days");
  assert.equal(daysWords({ minDays: 1, maxDays: 1 }), "1 day");
  assert.equal(wayWords("pickup"), "Pick-up");
  assert.equal(wayWords("by_drone"), "By drone");
});

test("a rating is a sentence", () => {
  assert.equal(ratingWords({ average: 4, count: 1 }), "Rated 4.0 of 5 by 1 customer");
  assert.equal(ratingWords({ average: 4.56, count: 1200 }), "Rated 4.6 of 5 by 1,200 customers");
  assert.equal(ratingWords({ average: null, count: 0 }), "No reviews yet");
});

test("loyalty names what is missing to the next tier", () => {
  assert.equal(loyaltyWords({ tier: "gold", points: 7450, pointsToNext: 12550 }), "Gold member. 12,550 points to platinum.");
  assert.equal(loyaltyWords({ tier: "platinum", points: 30000, pointsToNext: null }), "Platinum member. 30,000 points.");
});

test("what has no words of its own is still readable", () => {
  assert.equal(orderStatus("on_hold"), "On hold");
  assert.equal(reasonWords("part_failed"), "part failed");
  assert.equal(reasonWords(""), "");
  assert.equal(categoryName("hiking-boots"), "Hiking boots");
  assert.equal(plural(1, "item"), "1 item");
  assert.equal(plural(0, "item"), "0 items");
});

test("a payment says how and whether", () => {
  assert.equal(paymentWords({ status: "captured", method: { label: "PayPal" } }), "Paid by PayPal");
  assert.equal(paymentWords({ status: "on_hold", method: { label: "PayPal" } }), "On hold: PayPal");
});

const problem = (status, code = "", more = {}) => ({ status, code, title: "The title.", part: "", ...more });

test("a page that can't be loaded says what to do", () => {
  assert.deepEqual(
    [401, 403, 404].map((status) => problemWords(problem(status), "this order")).map(({ canRetry, needsSignIn }) => [canRetry, needsSignIn]),
    [[false, true], [false, true], [false, false]],
  );
  assert.equal(problemWords(problem(404), "this order").title, "This order was not found");
  assert.equal(problemWords(problem(0, "offline"), "your cart").title, "You are offline");
  assert.equal(problemWords(problem(503, "timeout", { part: "product" }), "this product").text, "Product failed: the service took too long.");
  assert.equal(problemWords(problem(503, "timeout"), "this product").canRetry, true);
});

test("a write without an answer does not claim that nothing happened", () => {
  assert.match(writeWords(problem(0, "timeout")), /not known whether/);
  assert.match(writeWords(problem(0, "unreachable")), /not known whether/);
  assert.match(writeWords(problem(503, "circuit_open")), /could not be changed/);
  assert.equal(writeWords(problem(409)), "The title.");
});

test("the way to a category begins at its root", () => {
  const tree = [{ id: "outdoor", children: [{ id: "camping", children: [{ id: "tents" }] }] }, { id: "home", children: [] }];

  assert.deepEqual(wayTo(tree, "tents").map(({ id }) => id), ["outdoor", "camping", "tents"]);
  assert.deepEqual(wayTo(tree, "home").map(({ id }) => id), ["home"]);
  assert.deepEqual(wayTo(tree, "boats"), []);
  assert.deepEqual(wayTo(null, "tents"), []);
});

test("a problem with a time says it, and one that can't be read says that", () => {
  const busy = { status: 429, code: "too_many_requests", title: "Too many requests", retryAfter: 60 };
  assert.equal(problemWords(busy, "your cart").text, "Try again in 60 s.");
  const down = { status: 503, code: "overloaded", title: "Overloaded", part: "", retryAfter: 5 };
  assert.equal(problemWords(down, "your cart").text, "The gateway is too busy. Try again in 5 s.");
  assert.equal(writeWords(down), "The cart could not be changed: the gateway is too busy. Try again in 5 s.");
  const broken = { status: 0, code: "unreadable", title: "The answer could not be read", part: "" };
  assert.deepEqual([problemWords(broken, "your cart").text, problemWords(broken, "your cart").canRetry], ["The answer could not be read.", true]);
  assert.match(writeWords(broken), /not known whether this was changed/);
});
