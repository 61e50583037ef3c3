import assert from "node:assert/strict";
import { test } from "node:test";

import { Pages } from "../../../bffs/web/pages/office/pages.js";
import { PurchaseKey, purchaseOutcome } from "../../../bffs/web/pages/office/purchase.js";
import { shortDay } from "../../../bffs/web/pages/office/words.js";

function memory() {
  const entries = new Map();
  return { getItem: (name) => entries.get(name) ?? null, setItem: (name, text) => entries.set(name, text), removeItem: (name) => entries.delete(name) };
}

function newKey(storage = memory()) {
  let number = 0;
  return new PurchaseKey(storage, "purchase", () => `key-${(number += 1)}`);
}

const problem = (status, code, ...states) => {
  const names = ["quote", "reserve", "charge", "place"];
  return { status, body: null, problem: { status, code, detail: "", steps: states.map((state, index) => ({ step: names[index], state })) } };
};

test("201 is bought", () => {
  assert.equal(purchaseOutcome({ status: 201, body: { order: {} } }).kind, "bought");
});

test("a refusal that was undone bought nothing, and names the step", () => {
  const { kind, sentence, steps } = purchaseOutcome(problem(402, "payment_required", "done", "undone", "failed", "not-started"));
  assert.equal(kind, "refused");
  assert.match(sentence, /payment was refused.*Nothing was bought/);
  assert.deepEqual(steps.map(({ word }) => word), ["done", "undone", "failed", "not started"]);
});

test("an outage that was undone may be tried again", () => {
  assert.equal(purchaseOutcome(problem(503, "unavailable", "done", "failed", "not-started", "not-started")).kind, "again");
});

test("no answer, an unsettled purchase and an unexplained 5xx leave it open", () => {
  assert.equal(purchaseOutcome({ status: 0, body: null, problem: { status: 0, code: "timeout" } }).kind, "unknown");
  assert.equal(purchaseOutcome(problem(504, "saga_unsettled", "done", "done", "unknown", "not-started")).kind, "unknown");
  assert.equal(purchaseOutcome(problem(409, "saga_under_way")).kind, "unknown");
  assert.equal(purchaseOutcome(problem(502, "bad_gateway")).kind, "unknown");
  assert.equal(purchaseOutcome(problem(500, "stuck", "done", "not-undone", "failed", "not-started")).kind, "unknown");
});

test("a refusal at the door decides nothing of an earlier request", () => {
  for (const status of [401, 403, 429]) {
    assert.notEqual(purchaseOutcome(problem(status, ""), false).kind, "unknown", String(status));
    assert.equal(purchaseOutcome(problem(status, ""), true).kind, "unknown", String(status));
  }
});

test("the key stays while the outcome is open, whatever is chosen meanwhile, also in a new page", () => {
  const storage = memory();
  const purchase = newKey(storage);
  const first = purchase.begin("card");
  purchase.settle("unknown");
  assert.deepEqual(newKey(storage).begin("paypal"), first);
});

test("the next purchase has another key", () => {
  const purchase = newKey();
  for (const kind of ["bought", "refused", "again"]) {
    const { key } = purchase.begin("card");
    purchase.settle(kind);
    assert.equal(purchase.open, null);
    assert.notEqual(purchase.begin("card").key, key, kind);
    purchase.settle("bought");
  }
});

test("pages go back by the cursors that led to them", () => {
  const pages = new Pages();
  pages.read(new URLSearchParams(""));
  pages.learn("c2");
  assert.equal(pages.query(2), "page=2&after=c2");
  assert.equal(pages.read(new URLSearchParams("page=2&after=c2")), true);
  assert.equal(pages.cursor, "c2");
  pages.learn("c3");
  assert.equal(pages.read(new URLSearchParams("page=2&after=c2")), false);
  assert.equal(pages.query(1), "");
  assert.equal(pages.query(3), "page=3&after=c3");
});

test("a page that an address names is opened at once, and what is before it is not known", () => {
  const pages = new Pages();
  pages.read(new URLSearchParams("page=7&after=c7"));
  assert.equal(pages.cursor, "c7");
  assert.equal(pages.query(6), null);
  pages.read(new URLSearchParams("page=5"));
  assert.equal(pages.number, 1);
});

test("a day has its year where that is another one", () => {
  const now = new Date("2026-11-30T12:00:00Z");
  assert.equal(shortDay("2026-10-25T23:30:00Z", now), "25 Oct");
  assert.equal(shortDay("2025-09-01T00:00:00Z", now), "1 Sep 2025");
  assert.equal(shortDay("soon", now), "soon");
});
