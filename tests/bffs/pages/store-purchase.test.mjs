import assert from "node:assert/strict";
import { test } from "node:test";

import { outcomeOf, Purchase } from "../../../bffs/web/pages/store/purchase.js";

const CUSTOMER = "1";

function purchases(storage = storageOf()) {
  let number = 0;
  return new Purchase(storage, () => `key-${++number}`);
}

function storageOf() {
  const values = new Map();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, text) => values.set(key, text),
    removeItem: (key) => values.delete(key),
  };
}

/** What the client returns if the gateway refuses `checkout`. */
function refused(status, code, { title = "", steps = [] } = {}) {
  return { body: { checkout: null }, problem: { status, code, title }, errors: [{ extensions: { code, status, steps } }] };
}

const steps = (...states) => ["quote", "reserve", "charge", "place"].map((step, at) => ({ step, state: states[at] ?? "not-started" }));
const card = { customer: CUSTOMER, method: "pm-1", label: "Mastercard" };
const paypal = { customer: CUSTOMER, method: "pm-2", label: "PayPal" };

test("a purchase whose outcome is open has the same key when it is sent again", () => {
  const purchase = purchases();
  const first = purchase.begin(card);

  purchase.settle(first, { kind: "unknown" });

  assert.equal(purchase.begin(card).key, first.key);
  assert.equal(purchase.begin(paypal).key, first.key, "another way to pay is no new purchase while one is open");
  assert.equal(purchase.begin(paypal).method, "pm-1");
});

test("another customer's purchase is another one", () => {
  const purchase = purchases();
  const first = purchase.begin(card);
  const other = purchase.begin({ ...card, customer: "2" });

  assert.notEqual(other.key, first.key);
  assert.equal(purchase.pending(CUSTOMER).key, first.key);
});

test("it is still known after the page was loaded again, to its customer only", () => {
  const storage = storageOf();
  const before = purchases(storage);
  const first = before.begin(card);
  before.settle(first, { kind: "unknown" });

  assert.deepEqual(purchases(storage).pending(CUSTOMER), { ...first, isOpen: true });
  assert.equal(purchases(storage).pending("2"), null);
});

test("a purchase that was cut off before any answer is open", () => {
  const storage = storageOf();
  const first = purchases(storage).begin(card);

  assert.equal(purchases(storage).pending(CUSTOMER).isOpen, true);
  assert.equal(purchases(storage).begin(paypal).key, first.key);
});

for (const kind of ["bought", "declined", "gone", "empty", "changed", "signedOut", "forbidden"]) {
  test(`after "${kind}" the next purchase has a new key`, () => {
    const purchase = purchases();
    const first = purchase.begin(card);

    purchase.settle(first, { kind });

    assert.equal(purchase.pending(CUSTOMER), null);
    assert.notEqual(purchase.begin(card).key, first.key);
  });
}

for (const kind of ["failed", "unsent"]) {
  test(`after "${kind}" a retry has the same key, and another way to pay a new one`, () => {
    const purchase = purchases();
    const first = purchase.begin(card);

    purchase.settle(first, { kind });

    const again = purchase.begin(card);
    purchase.settle(again, { kind });
    assert.equal(again.key, first.key);
    assert.notEqual(purchase.begin(paypal).key, first.key);
  });
}

test("what is stored and no purchase is no purchase", () => {
  const storage = storageOf();
  storage.setItem("store.purchase.1", "{broken");

  assert.equal(purchases(storage).pending(CUSTOMER), null);
});

test("an order is bought", () => {
  const order = { id: "7", number: "2611-7" };

  const outcome = outcomeOf({ body: { checkout: order }, problem: null, errors: [] });

  assert.equal(outcome.kind, "bought");
  assert.equal(outcome.order, order);
});

test("a refused payment names the way to pay and the reason", () => {
  const title = "Mastercard ··0002 was declined: insufficient_funds.";

  const outcome = outcomeOf(refused(409, "conflict", { title, steps: steps("done", "undone", "failed") }), { label: "Mastercard ··0002" });

  assert.equal(outcome.kind, "declined");
  assert.match(outcome.text, /^Mastercard ··0002 was declined: insufficient funds\. Nothing was charged/);
});

test("goods that are gone are no refused payment", () => {
  const outcome = outcomeOf(refused(409, "conflict", { title: "Only 1 left.", steps: steps("done", "failed") }));

  assert.equal(outcome.kind, "gone");
  assert.match(outcome.text, /^Only 1 left\. Nothing was charged/);
});

const OPEN = [
  ["the saga is not settled", refused(504, "saga_unsettled", { steps: steps("done", "done", "unknown") })],
  ["the saga is under way", refused(409, "saga_under_way")],
  ["the payment timed out", refused(502, "timeout", { steps: steps("done", "done", "unknown") })],
  ["a step could not be undone", refused(409, "conflict", { steps: steps("done", "not-undone", "failed") })],
  ["no answer came", { body: null, problem: { status: 0, code: "unreachable", title: "" } }],
  ["it took too long", { body: null, problem: { status: 0, code: "timeout", title: "" } }],
  ["the connection was lost", { body: null, problem: { status: 0, code: "offline", title: "" } }],
  ["a proxy answered instead", { body: null, problem: { status: 502, code: "status_502", title: "Bad gateway" } }],
  ["the gateway failed", refused(500, "internal_error")],
];
for (const [name, answer] of OPEN) {
  test(`it is not known whether it was bought if ${name}`, () => {
    const { kind, text } = outcomeOf(answer);

    assert.equal(kind, "unknown");
    assert.doesNotMatch(text, /[Nn]othing was (charged|bought)/);
  });
}

for (const [status, code] of [[401, "not_authenticated"], [403, "not_allowed"], [429, "too_many_requests"], [503, "store_unavailable"]]) {
  test(`a purchase that is open is still open after a ${status}`, () => {
    const { kind, text, needsSignIn } = outcomeOf(refused(status, code), { wasOpen: true });

    assert.equal(kind, "unknown");
    assert.equal(needsSignIn, status === 401);
    assert.doesNotMatch(text, /[Nn]othing was/);
  });
}

test("a purchase that was open and is refused was refused", () => {
  const answer = refused(409, "conflict", { title: "Mastercard was declined: expired.", steps: steps("done", "undone", "failed") });

  assert.equal(outcomeOf(answer, { wasOpen: true }).kind, "declined");
});

test("an outage that was undone can be tried again", () => {
  const outcome = outcomeOf(refused(503, "unavailable", { steps: steps("done", "undone", "failed") }));

  assert.equal(outcome.kind, "failed");
  assert.match(outcome.text, /^The payment could not be taken: the payment service did not answer\. Everything was undone/);
});

const OUTAGES = [
  ["quote", "unavailable", "The order could not be calculated: the cart or the order service did not answer."],
  ["quote", "bad_status", "The order could not be calculated: the cart or the order service answered with an error."],
  ["reserve", "circuit_open", "The goods could not be reserved: the stock service failed too often just now"],
  ["place", "unavailable", "The order could not be placed: the order service did not answer."],
];
for (const [step, code, sentence] of OUTAGES) {
  test(`step ${step} that fails (${code}) names the services that it calls, and no other`, () => {
    const { kind, text } = outcomeOf(refused(503, code, { steps: [{ step, state: "failed" }] }));

    assert.equal(kind, "failed");
    assert.ok(text.startsWith(sentence), text);
    assert.doesNotMatch(text, /[Pp]rices/);
  });
}

const OTHERS = [
  [refused(401, "not_authenticated"), "signedOut"],
  [refused(403, "not_allowed", { title: "This needs the scope 'orders:write'." }), "forbidden"],
  [refused(422, "idempotency_key_reused"), "changed"],
  [refused(422, "invalid_input", { title: "The cart is empty." }), "empty"],
  [refused(503, "store_unavailable"), "unsent"],
];
for (const [answer, kind] of OTHERS) {
  test(`${answer.problem.code} is "${kind}"`, () => assert.equal(outcomeOf(answer).kind, kind));
}
