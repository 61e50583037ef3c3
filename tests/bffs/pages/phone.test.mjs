import assert from "node:assert/strict";
import { test } from "node:test";

import { collect, partList, readLines, readProgressively } from "../../../bffs/web/pages/phone/progressive.js";
import { judge, Purchases } from "../../../bffs/web/pages/phone/purchase.js";
import { Quantity } from "../../../bffs/web/pages/phone/quantity.js";
import { pause, Retry } from "../../../bffs/web/pages/phone/retry.js";
import { cause, failure, isGone, noAnswer, stockWords } from "../../../bffs/web/pages/phone/words.js";

/** A body that arrives in the given chunks. */
function chunked(...chunks) {
  const bytes = chunks.map((chunk) => (typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk));
  return new ReadableStream({
    pull(controller) {
      if (bytes.length) controller.enqueue(bytes.shift());
      else controller.close();
    },
  });
}

const PROFILE = '{"part":"profile","status":"ok","value":{"name":"Rémi"}}\n';
const CART = '{"part":"cart","status":"missing","reason":"timeout","value":{"cart_count":null}}\n';
const ANSWER = '{"answer":{"name":"Rémi","cart_count":null,"deals":[]},"parts":{"profile":{"status":"ok"},"cart":{"status":"missing","reason":"timeout"}}}\n';
const PROBLEM = '{"problem":{"status":503,"code":"bad_status","title":"Upstream failed","part":"profile"},"parts":{"profile":{"status":"missing","reason":"bad_status"}}}\n';

async function all(lines) {
  const found = [];
  for await (const line of lines) found.push(line);
  return found;
}

test("a line may come in several chunks, and a chunk may cut a letter", async () => {
  const bytes = new TextEncoder().encode(PROFILE);
  const cut = bytes.indexOf(0xc3) + 1; // within é

  const lines = await all(readLines(chunked(bytes.slice(0, cut), bytes.slice(cut), CART + CART)));

  assert.deepEqual(lines.map(({ part }) => part), ["profile", "cart", "cart"]);
  assert.equal(lines[0].value.name, "Rémi");
});

test("a last line without an end is a line, too", async () => {
  assert.deepEqual(await all(readLines(chunked('{"a":1}'))), [{ a: 1 }]);
});

test("parts are shown as they come, and the answer ends them", async () => {
  const shown = [];

  const last = await collect(readLines(chunked(PROFILE, CART, ANSWER)), (body) => shown.push({ ...body }));

  assert.deepEqual(shown, [{ name: "Rémi" }, { name: "Rémi", cart_count: null }]);
  assert.deepEqual(last.answer.deals, []);
  assert.deepEqual(partList(last.parts)[1], { name: "cart", state: "missing", reason: "timeout", age: 0 });
});

/** Reads /v1/home from a gateway that answers with `response`, or fails with it. */
async function readHome(response) {
  const shown = [];
  const requests = [];
  const fetch = async (url, options) => {
    requests.push({ url, ...options });
    if (response instanceof Error) throw response;
    return response;
  };
  const options = { client: "phone", origin: "http://gateway", path: "/v1/home?width=320", headers: async () => ({ Authorization: "Bearer t" }) };
  const result = await readProgressively({ ...options, fetch, fresh: true, onPart: (body, parts) => shown.push([{ ...body }, parts]) });
  return { ...result, shown, requests };
}

const lines = (...chunks) => new Response(chunked(...chunks), { headers: { "content-type": "application/x-ndjson", "x-request-id": "r1" } });

test("the gateway is asked for lines, past its caches, with the token", async () => {
  const { requests } = await readHome(lines(ANSWER));

  const [{ url, headers, cache }] = requests;
  assert.deepEqual([url, headers.Accept, headers.Authorization, cache], ["http://gateway/v1/home?width=320", "application/x-ndjson", "Bearer t", "reload"]);
});

test("a whole answer has its parts and its bytes as facts", async () => {
  const { ok, facts, shown, problem } = await readHome(lines(PROFILE, CART, ANSWER));

  assert.deepEqual([ok, problem, facts.state, facts.route, facts.requestId], [true, null, "degraded", "/v1/home", "r1"]);
  assert.equal(facts.bytes, new TextEncoder().encode(PROFILE + CART + ANSWER).length);
  assert.deepEqual(facts.parts.map(({ name, state }) => `${name}=${state}`), ["profile=ok", "cart=missing"]);
  assert.deepEqual(shown[1][1][1], { name: "cart", state: "missing", reason: "timeout", age: 0 });
});

test("a critical part that fails later is a problem, and no answer", async () => {
  const { ok, body, problem, facts } = await readHome(lines(CART, PROBLEM));

  assert.deepEqual([ok, body, problem.status, problem.part, facts.state], [false, null, 503, "profile", "failed"]);
});

test("a connection that is cut before the last line is no answer", async () => {
  const { ok, problem, facts } = await readHome(lines(PROFILE, CART));

  assert.deepEqual([ok, problem.code, facts.state], [false, "unreachable", "offline"]);
});

test("a failure before the first line has its own status", async () => {
  const body = JSON.stringify({ status: 401, code: "not_authenticated", title: "Not authenticated" });
  const { ok, status, problem } = await readHome(new Response(body, { status: 401, headers: { "content-type": "application/problem+json" } }));

  assert.deepEqual([ok, status, problem.code], [false, 401, "not_authenticated"]);
});

test("a gateway that does not answer is offline", async () => {
  const { ok, facts, problem } = await readHome(new TypeError("Failed to fetch"));

  assert.deepEqual([ok, facts.state, problem.code], [false, "offline", "unreachable"]);
});

test("an error of the page itself is not hidden", async () => {
  await assert.rejects(readHome(new RangeError("a bug")), RangeError);
});

test("a failure names the service and what it did", () => {
  assert.equal(failure("Home", { code: "unavailable", part: "profile" }), "Home could not be loaded: users did not answer.");
  assert.equal(cause({ code: "timeout", part: "page" }, "orders"), "orders did not answer in time");
  assert.equal(cause({ code: "circuit_open", part: "cart" }), "cart failed too often and is not called for now");
  assert.equal(cause({ code: "not_found", detail: "There is no such order." }), "There is no such order");
  assert.equal(cause({ code: "sign_in_unavailable", title: "The identity provider does not answer" }), "the identity provider does not answer");
  assert.equal(cause(null), "the gateway failed");
});

test("a device that is offline does not say that the shop is silent", () => {
  assert.equal(noAnswer({ status: 0, code: "offline" }), "this device is offline");
  assert.equal(noAnswer({ status: 0, code: "unreachable" }), "the shop does not answer");
});

test("a part is gone when it has no value of its own", () => {
  const gone = ["ok", "stale", "partial", "missing", "fallback", "forbidden", "failed"].filter((state) => isGone({ state }));

  assert.deepEqual(gone, ["missing", "fallback", "forbidden", "failed"]);
  assert.equal(isGone(undefined), false);
  assert.equal(stockWords(null), "Stock not known");
});

const steps = (...states) => ["quote", "reserve", "charge", "place"].map((step, at) => ({ step, state: states[at] ?? "not-started" }));

test("a purchase is bought, refused or not known, and the words say which", () => {
  const declined = { status: 402, code: "payment_required", steps: steps("done", "undone", "failed") };
  const soldOut = { status: 409, code: "conflict", steps: steps("done", "failed") };
  const down = { status: 503, code: "circuit_open", steps: steps("done", "undone", "failed") };
  const refunded = { status: 409, code: "conflict", steps: steps("done", "undone", "undone", "failed") };
  const unsettled = { status: 504, code: "saga_unsettled", steps: steps("done", "done", "unknown") };
  const stuck = { status: 402, code: "payment_required", steps: steps("done", "not-undone", "failed") };
  const underWay = { status: 409, code: "saga_under_way", steps: steps("done") };
  const cases = [
    [{ ok: true, status: 201, body: { number: "26" } }, "bought", true, /26/],
    [{ ok: false, status: 402, problem: declined }, "refused", true, /declined\. Nothing was charged/],
    [{ ok: false, status: 409, problem: soldOut }, "refused", true, /out of stock\. Nothing was charged/],
    [{ ok: false, status: 409, problem: refunded }, "refused", true, /payment was given back/],
    [{ ok: false, status: 503, problem: down }, "refused", false, /payments did not answer\. Nothing was charged/],
    [{ ok: false, status: 429, problem: { status: 429, code: "too_many_requests" } }, "refused", false, /did not take the order/],
    [{ ok: false, status: 504, problem: unsettled }, "unknown", false, /Ask again/],
    [{ ok: false, status: 402, problem: stuck }, "unknown", false, /Ask again/],
    [{ ok: false, status: 409, problem: underWay }, "unknown", false, /Ask again/],
    [{ ok: false, status: 0, problem: { status: 0, code: "unreachable" } }, "unknown", false, /Ask again/],
    [{ ok: false, status: 500, problem: { status: 500, code: "internal_error" } }, "unknown", false, /Ask again/],
  ];
  for (const [answer, outcome, isFinal, words] of cases) {
    const judged = judge(answer);
    assert.deepEqual([judged.outcome, judged.isFinal], [outcome, isFinal], JSON.stringify(answer));
    assert.match(judged.text, words);
  }
});

function storage() {
  const items = new Map();
  return {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => items.set(name, value),
    removeItem: (name) => items.delete(name),
  };
}

test("a purchase has one key for all its tries, until its outcome is final", () => {
  let number = 0;
  const purchases = new Purchases(storage(), "1", () => `key-${++number}`);

  const first = purchases.begin("card", 1);
  purchases.settle(first, { outcome: "unknown", isFinal: false });
  const again = purchases.begin("paypal", 2); // the choice changed meanwhile: still the same purchase
  purchases.settle(again, { outcome: "refused", isFinal: true });
  const next = purchases.begin("paypal", 3);

  assert.deepEqual([again.key, again.method, again.at], ["key-1", "card", 1]);
  assert.deepEqual([next.key, next.method], ["key-2", "paypal"]);
});

test("a purchase that was not begun has a new key for another payment method", () => {
  let number = 0;
  const purchases = new Purchases(storage(), "1", () => `key-${++number}`);
  const first = purchases.begin("card", 1);
  purchases.settle(first, { outcome: "refused", isFinal: false });

  assert.equal(purchases.begin("card", 2).key, "key-1");
  assert.equal(purchases.begin("paypal", 3).key, "key-2");
});

test("an unknown outcome survives a reload, and belongs to its customer", () => {
  const items = storage();
  const before = new Purchases(items, "1", () => "k");
  before.settle(before.begin("card", 1), { outcome: "unknown", isFinal: false });

  assert.equal(new Purchases(items, "1").open().isUnknown, true);
  assert.equal(new Purchases(items, "2").open(), null);
});

/** A cart line whose writes end when the test lets them. */
function line(stored) {
  const writes = [];
  const states = [];
  let number = 0;
  const send = (quantity, key) => new Promise((end) => writes.push({ quantity, key, end }));
  const quantity = new Quantity(stored, send, (state) => states.push(state), () => `key-${++number}`);
  return { quantity, writes, states };
}

const settle = () => new Promise((end) => setImmediate(end));
const OK = { ok: true };
const DOWN = { ok: false, problem: { status: 503, code: "unavailable" } };

test("taps while a write is under way become one write of the last wish", async () => {
  const { quantity, writes } = line(1);
  quantity.set(2);
  quantity.set(3);
  quantity.set(4);
  await settle();
  writes[0].end(OK);
  await settle();
  writes[1].end(OK);
  await settle();

  assert.deepEqual(writes.map(({ quantity: number }) => number), [2, 4]);
  assert.notEqual(writes[0].key, writes[1].key);
  assert.equal(quantity.stored, 4);
});

test("a failed write says so, is not repeated by itself, and has the same key when it is", async () => {
  const { quantity, writes, states } = line(1);
  quantity.set(2);
  writes[0].end(DOWN);
  await settle();

  assert.equal(writes.length, 1);
  assert.deepEqual(states.at(-1), { wanted: 2, isSending: false, problem: DOWN.problem });
  quantity.again();
  assert.equal(writes[1].key, writes[0].key);
  quantity.drop();
  assert.equal(quantity.wanted, 1);
});

test("retries are soon at first, then every 15 s, and never before the gateway allows it", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 9].map((number) => pause(number)), [1000, 2000, 4000, 8000, 15_000, 15_000]);
  assert.equal(pause(0, 30_000), 30_000);
});

test("the network coming back hurries the planned retry; without one nothing happens", () => {
  const timers = [];
  let tries = 0;
  const retry = new Retry(() => tries++, { schedule: (run, ms) => timers.push({ run, ms }), cancel: () => {} });
  retry.hurry();
  assert.equal(tries, 0);
  retry.plan();
  retry.plan();
  retry.hurry();
  retry.plan();

  assert.deepEqual([tries, timers.map(({ ms }) => ms)], [1, [1000, 2000]]);
});
