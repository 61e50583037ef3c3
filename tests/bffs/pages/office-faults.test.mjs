import assert from "node:assert/strict";
import { test } from "node:test";

import { outcomesOf } from "../../../bffs/web/pages/office/outcomes.js";
import { PriceEdits } from "../../../bffs/web/pages/office/price-edits.js";
import { PurchaseKey, purchaseOutcome } from "../../../bffs/web/pages/office/purchase.js";

const REQUEST = { key: "k", items: [{ sku: "a", amount: 1, currency: "EUR" }] };

function storageOf(text) {
  const values = new Map([["office", text]]);
  return { getItem: (name) => values.get(name) ?? null, setItem: (name, value) => values.set(name, value), removeItem: (name) => values.delete(name) };
}

test("odd outcomes of a batch are failures of rows, and no exceptions", () => {
  for (const items of [[null], [5, {}], [{ index: 0, status: "no", problem: 5 }], [{ index: 0, status: 400, problem: { detail: 5, title: [] } }]]) {
    const { rows } = outcomesOf(REQUEST, { status: 207, body: { items } });
    assert.deepEqual(rows.map(({ sku, state }) => [sku, state === "saved"]), [["a", false]], JSON.stringify(items));
  }
  outcomesOf(REQUEST, { status: 422, problem: { errors: [{}, { pointer: "/items/0/x", detail: 5 }] } });
});

test("too many requests say when to try again", () => {
  const problem = { status: 429, code: "too_many_requests", retryAfter: 60 };
  assert.equal(outcomesOf(REQUEST, { status: 429, problem }).sentence, "Nothing was saved: too many requests. Try again in 60 s.");
  assert.equal(purchaseOutcome({ status: 429, problem }).sentence, "Too many requests. Nothing was bought. Try again in 60 s.");
});

test("an answer to a purchase that can't be read leaves its outcome open", () => {
  const { kind } = purchaseOutcome({ status: 0, problem: { status: 0, code: "unreadable" } });
  assert.equal(kind, "unknown");
});

test("entries of the storage that are not ours are dropped", () => {
  for (const text of ["5", "[]", '{"edits": 5}', '{"edits": [null, 5, {}], "open": 5}', '{"edits": null, "open": {"key": "k"}}', "{"]) {
    const edits = new PriceEdits(storageOf(text), "office");
    assert.deepEqual([edits.size, edits.open, edits.valid()], [0, null, []], text);
    assert.equal(new PurchaseKey(storageOf(text), "office").open, null, text);
  }
});
