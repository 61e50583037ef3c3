import assert from "node:assert/strict";
import { test } from "node:test";

import { ago, bytes, duration, list, span } from "../../../bffs/web/pages/shared/format.js";
import { digitsOf, minorOf, money } from "../../../bffs/web/pages/shared/money.js";
import { isWhole, partOf, sayPart, sayReason } from "../../../bffs/web/pages/shared/parts.js";
import { sayProblem } from "../../../bffs/web/pages/shared/states.js";

test("money has the digits and the sign of its currency", () => {
  assert.equal(money(9090, "EUR"), "€90.90");
  assert.equal(money(500, "JPY"), "¥500");
  assert.equal(money(696_008, "EUR"), "€6,960.08");
  assert.equal(money(696_008, "EUR", { isBare: true }), "6,960.08");
  assert.equal(digitsOf("JPY"), 0);
});

test("an unknown currency is named by its code, and is no error", () => {
  assert.equal(money(9090, "EURO"), "EURO 90.90");
  assert.equal(money(9090, null), "? 90.90");
  assert.equal(money(9090, "<b>", { isBare: true }), "90.90");
  assert.deepEqual([digitsOf("EURO"), minorOf("90.9", "EURO")], [2, 9090]);
});

test("an amount that somebody types is read exactly", () => {
  assert.equal(minorOf("90.9", "EUR"), 9090);
  assert.equal(minorOf(" 1,200 ", "EUR"), 120_000);
  assert.equal(minorOf("0.07", "EUR"), 7);
  for (const wrong of ["", "ten", "-1", "1.234", "1.", "1e3"]) assert.equal(minorOf(wrong, "EUR"), null, wrong);
  assert.equal(minorOf("1.5", "JPY"), null);
});

test("figures are short", () => {
  assert.deepEqual([0, 1023, 2953, 47_213, 3_000_000].map(bytes), ["0 B", "1023 B", "2.9 KB", "46 KB", "2.9 MB"]);
  assert.deepEqual([0, 0.4, 8.2, 41.3, 1240].map(duration), ["0 ms", "< 1 ms", "8 ms", "41 ms", "1.2 s"]);
  assert.deepEqual([20, 120, 7200, 200_000].map(span), ["20 s", "2 min", "2 h", "2 days"]);
  assert.deepEqual([ago(1000, 2000), ago(0, 60_000)], ["just now", "60 s ago"]);
  assert.deepEqual([list([]), list(["a"]), list(["a", "b", "c"])], ["", "a", "a, b and c"]);
});

test("a part says its state, reason and time", () => {
  const part = { name: "reviews", state: "fallback", reason: "timeout", age: 0, ms: 412 };
  assert.equal(sayPart(part), "reviews: not available (timeout), 412 ms");
  assert.equal(sayPart({ ...part, ms: null, reason: "" }), "reviews: not available");
  assert.equal(sayPart({ ...part, name: "payment_methods", state: "ok" }), "payment methods");
  assert.equal(sayPart({ ...part, state: "stale", age: 23 }), "reviews: 23 s old");
  assert.equal(sayPart({ ...part, state: "forbidden", reason: "not_allowed", ms: null }), "reviews: not allowed");
  assert.equal(sayReason("a_new_code"), "a new code");
});

test("parts are found without regard to case", () => {
  const facts = { parts: [{ name: "paymentMethods", state: "missing" }] };
  assert.equal(partOf(facts, "paymentmethods").state, "missing");
  assert.equal(partOf(facts, "cart"), undefined);
  assert.deepEqual(["ok", "stale", "partial", "fallback", "missing", "forbidden", "failed"].filter((state) => isWhole({ state })), ["ok", "stale"]);
});

test("a screen that is not there says why", () => {
  const problem = { status: 502, code: "unavailable", title: "Upstream unavailable", detail: "", part: "profile" };
  assert.equal(sayProblem("Home", problem), "Home could not be loaded: profile failed (no answer).");
  assert.equal(sayProblem("Home", { ...problem, part: "" }), "Home could not be loaded: Upstream unavailable.");
  assert.equal(sayProblem("Home", { ...problem, status: 0, title: "The gateway does not answer" }), "Home could not be loaded. The gateway does not answer.");
  assert.equal(sayProblem("Home", { ...problem, part: "", status: 429, title: "Too many requests", retryAfter: 60 }), "Home could not be loaded: Too many requests. Try again in 60 s.");
  assert.equal(sayProblem("The cart", { ...problem, status: 403 }), "The cart is not shown: this sign-in is not allowed to see it.");
  assert.equal(sayProblem("This order", { ...problem, status: 404 }), "This order does not exist.");
});
