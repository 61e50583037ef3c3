import assert from "node:assert/strict";
import { test } from "node:test";

import { outcomesOf } from "../../../bffs/web/pages/office/outcomes.js";
import { hintOf } from "../../../bffs/web/pages/office/price-column.js";
import { PriceEdits, textOf } from "../../../bffs/web/pages/office/price-edits.js";
import { columnText, fieldText, parsePrice } from "../../../bffs/web/pages/office/price-text.js";

function memory() {
  const entries = new Map();
  return {
    getItem: (name) => entries.get(name) ?? null,
    setItem: (name, text) => entries.set(name, text),
    removeItem: (name) => entries.delete(name),
  };
}

function keys() {
  let number = 0;
  return () => `key-${(number += 1)}`;
}

const STOVE = { sku: "1520-ECR-ONE", title: "Camping Stove", currency: "EUR", was: 7790 };
const MUG = { sku: "620-RST-03", title: "Mug", currency: "EUR", was: 1095 };

const newEdits = (storage = memory(), makeKey = keys()) => new PriceEdits(storage, "prices", makeKey);

test("a price may be typed with a point or a comma, a sign and spaces", () => {
  const typed = { "91.90": 9190, "91,90": 9190, "91.9": 9190, 91: 9100, "91.": 9100, ".5": 50, " € 91,90 ": 9190, "91.90 EUR": 9190 };
  for (const [text, amount] of Object.entries(typed)) assert.deepEqual(parsePrice(text, "EUR"), { amount }, text);
});

test("thousands may be grouped where that is not ambiguous", () => {
  const typed = { "1,234.50": 123_450, "1.234,50": 123_450, "1 234.50": 123_450, "1’234.50": 123_450 };
  for (const [text, amount] of Object.entries(typed)) assert.deepEqual(parsePrice(text, "EUR"), { amount }, text);
});

test("what is no price is refused with a sentence", () => {
  const wrong = {
    "": /Enter a price/,
    "12x": /“12x” is not a price/,
    "-5": /can't be negative/,
    0: /lowest price is 0.01: allowed is from 0.01 to 100,000.00/,
    "-x": /“-x” is not a price/,
    99999999: /highest price is 100,000.00: allowed is from 0.01/,
    "0.001": /decimals/,
    "9.999": /two ways/,
    "1,234": /Write 1234 or 1.23/,
    "12.3456": /2 decimals at most/,
    "1,23,456": /not a price/,
    "100000.01": /highest price is 100,000.00/,
    "12.345.678": /highest price/,
    "1e3": /not a price/,
    ",": /not a price/,
  };
  for (const [text, sentence] of Object.entries(wrong)) assert.match(parsePrice(text, "EUR").problem ?? "none", sentence, text);
});

test("the decimals are those of the currency", () => {
  assert.deepEqual(parsePrice("500", "JPY"), { amount: 500 });
  assert.match(parsePrice("500.5", "JPY").problem, /0 decimals/);
  assert.equal(fieldText(500, "JPY"), "500");
  assert.equal(fieldText(123_450, "EUR"), "1234.50");
  assert.equal(columnText(123_450, "EUR"), "1,234.50");
});

test("an edit survives a new page, and the price as it was is no edit", () => {
  const storage = memory();
  const edits = newEdits(storage);
  edits.type(STOVE, "79.90");
  edits.type(MUG, "10,95");

  const reopened = newEdits(storage);

  assert.equal(reopened.size, 1);
  assert.equal(textOf(reopened, STOVE), "79.90");
  assert.equal(textOf(reopened, MUG), "10.95");
});

test("a request has only what is a price", () => {
  const edits = newEdits();
  edits.type(STOVE, "79.90");
  edits.type(MUG, "x");

  assert.deepEqual(edits.request(), { key: "key-1", items: [{ sku: STOVE.sku, amount: 7990, currency: "EUR" }] });
  assert.equal(edits.invalid().length, 1);
});

test("what can be read but is not allowed is said with the range, apart from what can't be read", () => {
  for (const text of ["-5", "0", "99999999"]) {
    const edits = newEdits();
    edits.type(STOVE, text);
    assert.equal(hintOf(edits), "1 price is not sent: allowed is from 0.01 to 100,000.00.", text);
  }
  const edits = newEdits();
  edits.type(STOVE, "-5");
  edits.type(MUG, "x");
  assert.equal(hintOf(edits), "1 price is not sent: allowed is from 0.01 to 100,000.00. 1 price can't be read and is not sent.");
  edits.undoAll();
  assert.equal(hintOf(edits), "");
});

test("a saved row is no edit any more, a refused one stays as it was typed", () => {
  const edits = newEdits();
  edits.type(STOVE, "79.90");
  edits.type(MUG, "1.00");
  const request = edits.request();

  edits.settle(request, outcomesOf(request, { status: 207, body: { items: [saved(0, "1520", 7990), refused(1, 409, "price_change_too_steep")] } }));

  assert.equal(edits.get(STOVE.sku), null);
  assert.equal(edits.saved.get(STOVE.sku).amount, 7990);
  assert.equal(edits.get(MUG.sku).state, "refused");
  assert.equal(edits.get(MUG.sku).text, "1.00");
  assert.equal(edits.isRetry, true);
});

test("a retry after no answer has the same key, also in a new page", () => {
  const storage = memory();
  const makeKey = keys();
  const edits = newEdits(storage, makeKey);
  edits.type(STOVE, "79.90");
  const first = edits.request();
  edits.settle(first, outcomesOf(first, { status: 0, body: null, problem: { status: 0, code: "unreachable" } }));

  const again = newEdits(storage, makeKey).request();

  assert.deepEqual(again, first);
});

test("another request has another key", () => {
  const edits = newEdits();
  edits.type(STOVE, "79.90");
  const first = edits.request();
  edits.settle(first, outcomesOf(first, { status: 503, body: null, problem: { status: 503 } }));
  edits.type(STOVE, "80.90");
  assert.equal(edits.request().key, "key-2");
});

test("after a final refusal the same change is a new request: the old key would repeat the refusal", () => {
  const edits = newEdits();
  edits.type(MUG, "1.00");
  const first = edits.request();
  edits.settle(first, outcomesOf(first, { status: 207, body: { items: [refused(0, 409, "conflict")] } }));
  assert.equal(edits.request().key, "key-2");
});

test("what was typed while a request was under way is not lost", () => {
  const edits = newEdits();
  edits.type(STOVE, "79.90");
  const request = edits.request();
  edits.type(STOVE, "81.00");

  edits.settle(request, outcomesOf(request, { status: 207, body: { items: [saved(0, "1520", 7990)] } }));

  assert.equal(edits.get(STOVE.sku).text, "81.00");
});

test("each row of a 207 has its outcome, and a row that is not mentioned is not saved", () => {
  const request = { key: "k", items: ["a", "b", "c", "d"].map((sku) => ({ sku, amount: 1, currency: "EUR" })) };
  const items = [saved(0, "1", 1), refused(1, 404, "not_found"), refused(2, 503, "not_attempted")];

  const outcomes = outcomesOf(request, { status: 207, body: { items } });

  assert.deepEqual(outcomes.rows.map(({ state }) => state), ["saved", "refused", "failed", "failed"]);
  assert.equal(outcomes.sentence, "1 saved, 1 refused, 2 not saved.");
  assert.equal(outcomes.isOpen, true);
});

test("a reason says amounts as people read them", () => {
  const request = { key: "k", items: [{ sku: "a", amount: 1, currency: "EUR" }] };
  const problem = { code: "conflict", detail: "'a' costs 9590: a change to 100 is more than 50%." };

  const { rows } = outcomesOf(request, { status: 207, body: { items: [{ index: 0, status: 409, problem }] } });

  assert.equal(rows[0].reason, "it costs 95.90, and 1.00 is a change of more than 50%");
});

test("errors of the whole batch lead to their rows", () => {
  const request = { key: "k", items: [{ sku: "a", amount: 1, currency: "EUR" }, { sku: "b", amount: 2, currency: "EUR" }] };
  const problem = { status: 422, errors: [{ pointer: "/items/1/price/amount", detail: "Input should be greater than 0" }] };

  const { rows, isOpen } = outcomesOf(request, { status: 422, body: null, problem });

  assert.deepEqual(rows.map(({ state }) => state), ["failed", "refused"]);
  assert.equal(isOpen, false);
});

test("401, 403, 429 and a reused key saved nothing; 5xx leaves it open", () => {
  const request = { key: "k", items: [{ sku: "a", amount: 1, currency: "EUR" }] };
  const of = (status, code = "") => outcomesOf(request, { status, body: null, problem: { status, code } });
  assert.equal(of(401).isSignedOut, true);
  assert.equal(of(403).isForbidden, true);
  for (const status of [401, 403, 429, 422]) assert.equal(of(status, status === 422 ? "idempotency_key_reused" : "").isOpen, false, String(status));
  for (const status of [0, 500, 503, 504]) assert.equal(of(status).isOpen, true, String(status));
});

function saved(index, productId, amount) {
  return { index, status: 200, result: { product_id: productId, price: { amount, currency: "EUR" } }, problem: null };
}

function refused(index, status, code) {
  return { index, status, result: null, problem: { code, status, title: "No", detail: "No." } };
}
