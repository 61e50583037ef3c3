import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { rowsOf, scaleStep, unfolded } from "../src/pages/requests/rows.js";

const detail = JSON.parse(readFileSync(new URL("../fixtures/requests.detail.json", import.meta.url)));
const rows = rowsOf(detail);
const rowOf = (name) => rows.find((row) => row.name === name);
const tones = (name) => rowOf(name).bars.map(({ tone }) => tone);

test("a part with one call and one attempt is one row", () => {
  assert.deepEqual(tones("profile"), ["work"]);
  assert.equal(rowOf("profile").detail, "users · GET /users/{id}");
  assert.deepEqual(rowOf("profile").notes, ["critical"]);
  assert.equal(rowOf("profile").isFoldable, false);
});

test("several attempts have rows below a pale part", () => {
  const index = rows.indexOf(rowOf("orders"));
  assert.deepEqual(tones("orders"), ["wait"]);
  assert.deepEqual(rows.slice(index + 1, index + 3).map(({ name, detail: text }) => [name, text]), [["attempt 1", "10.0.4.12 · 503"], ["attempt 2", "10.0.4.17 · 200"]]);
});

test("a failed attempt is followed by its backoff, up to the next attempt", () => {
  const [failed, backoff] = rows[rows.indexOf(rowOf("orders")) + 1].bars;
  assert.equal(failed.tone, "failed");
  assert.equal(backoff.tone, "hatch");
  assert.equal(backoff.end, 0.083);
});

test("a stale value is a tick, with the refresh behind it", () => {
  assert.deepEqual(tones("deals"), ["stale", "ghost"]);
  assert.equal(rowOf("deals").isFoldable, false);
});

test("an attempt that was cancelled is an outline", () => {
  assert.deepEqual(rows[rows.indexOf(rowOf("stock")) + 1].bars.map(({ tone }) => tone), ["ghost"]);
});

test("the row to blame has the reason in a tall bar", () => {
  assert.equal(rowOf("rating").blame, "timeout after 0.6 s, fallback value");
  assert.deepEqual(rowOf("rating").bars, [{ start: 0.119, end: 0.719, tone: "fallback", isTall: true }]);
});

test("a folded row hides what is below it, and nothing else", () => {
  const orders = rowOf("orders").id;
  const shown = unfolded(rows, ({ id }) => id === orders);
  assert.equal(rows.length - shown.length, 2);
  assert.equal(unfolded(rows, ({ id }) => id === "request").length, 1);
});

test("a call without a part is a row of its own", () => {
  const spans = [{ kind: "call", name: "GET /x", upstream: "users", within: -1, start: 0, seconds: 0.1, outcome: "500", reason: "", error: "", source: "upstream", age: 0, marks: [], timeout: 0, is_critical: false, is_to_blame: false }];
  const [, call] = rowsOf({ row: detail.row, spans });
  assert.deepEqual([call.name, call.detail, call.state, call.bars[0].tone], ["users", "GET /x", "failed", "failed"]);
});

test("a gap before the first attempt is waiting", () => {
  const span = (kind, within, start, seconds, more) => ({ kind, name: kind, upstream: "users", within, start, seconds, outcome: "200", reason: "", error: "", source: "", age: 0, marks: [], timeout: 0, ...more });
  const [, call] = rowsOf({ row: detail.row, spans: [span("call", -1, 0, 0.1), span("attempt", 0, 0.04, 0.06)] });
  assert.deepEqual(call.bars, [{ start: 0, end: 0.04, tone: "hatch", title: "waits for its turn" }, { start: 0.04, end: 0.1, tone: "work" }]);
});

test("what has one state has one colour, whether it is to blame or not", () => {
  const span = (kind, within, more) => ({ kind, name: kind, upstream: kind === "part" ? "" : "users", within, start: 0, seconds: 0.1, outcome: "ok", reason: "", error: "", source: "", age: 0, marks: [], timeout: 0, ...more });
  const tonesOf = (...spans) => rowsOf({ row: detail.row, spans }).slice(1).map(({ bars }) => bars[0].tone);
  const degraded = (more) => [span("part", -1, { outcome: "fallback", ...more }), span("call", 0, { outcome: "unavailable", error: "unavailable" })];
  assert.deepEqual([tonesOf(...degraded()), tonesOf(...degraded({ is_to_blame: true }))], [["fallback"], ["fallback"]]);
  const call = { outcome: "500", error: "bad_status" };
  assert.deepEqual([tonesOf(span("call", -1, call)), tonesOf(span("call", -1, { ...call, is_to_blame: true }))], [["failed"], ["failed"]]);
});

test("work behind the answer is an outline, that of the view is solid", () => {
  const span = (name, upstream, start) => ({ kind: "work", name, upstream, within: -1, start, seconds: 0.1, outcome: "done", marks: [] });
  const [root, renewal, view] = rowsOf({ row: detail.row, spans: [span("renew the cache", "web", 0.2), span("shape, encode", "view", 0.1)] });
  assert.deepEqual([renewal.detail, renewal.bars[0].tone, view.bars[0].tone], ["behind the answer", "ghost", "ink"]);
  assert.equal(root.bars[1].start, 0.1);
});

test("the scale has three to six lines", () => {
  for (const total of [0.0007, 0.003, 0.0101, 0.099, 0.1, 0.726, 1, 2.4, 61]) {
    const lines = Math.floor(total / scaleStep(total)) + 1;
    assert.ok(lines >= 3 && lines <= 6, `${total} s: ${lines}`);
  }
});

test("the work that refreshes a stale value is behind its tick, not a row", () => {
  const span = (kind, within, start, seconds, more) => ({ kind, name: kind, upstream: kind === "part" ? "" : "users", within, start, seconds, outcome: "ok", reason: "", error: "", source: "", age: 0, marks: [], timeout: 0, ...more });
  const all = rowsOf({ row: detail.row, spans: [span("part", -1, 0, 0.001), span("call", 0, 0, 0.001, { source: "stale", outcome: "200" }), span("work", 1, 0.001, 0.05), span("call", 2, 0.001, 0.05)] });
  assert.equal(all.length, 2);
  assert.deepEqual(all[1].bars.map(({ tone, end }) => [tone, end]), [["stale", 0.001], ["ghost", 0.051000000000000004]]);
});

test("a proxied request names its route, and its call is the one row below it", () => {
  const row = { gateway: "desktop", method: "GET", route: "/v1/suppliers/{id}", route_id: "supplier", seconds: 0.02, state: "complete", screen: "", is_cached: false };
  const call = { kind: "call", name: "GET supplier", upstream: "inventory", within: -1, start: 0.001, seconds: 0.018, outcome: "200", reason: "", error: "", source: "upstream", age: 0, marks: [], timeout: 0, is_critical: false, is_to_blame: false };
  const [request, ...below] = rowsOf({ row, spans: [call] });
  assert.deepEqual([request.name, request.detail], ["GET /v1/suppliers/{id}", "desktop · supplier"]);
  assert.deepEqual(below.map(({ name, detail: text }) => [name, text]), [["inventory", "GET supplier"]]);
});
