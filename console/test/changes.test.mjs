import assert from "node:assert/strict";
import test from "node:test";
import { partChanges, summaryOf } from "../src/pages/requests/changes.js";

const write = { duration: (seconds) => `${Math.round(seconds * 1000)} ms`, bytes: (size) => `${size} B` };

function detail(seconds, parts, row = {}) {
  const spans = Object.entries(parts).map(([name, [took, outcome = "ok"]]) => ({ kind: "part", name, upstream: "", within: -1, start: 0, seconds: took, outcome, reason: "", error: "", source: "", age: 0, marks: [], timeout: 0 }));
  const bytes = Object.entries(parts).map(([part, [, , sent = 100]]) => ({ part, sent }));
  return { row: { method: "GET", route: "/v1/home", gateway: "mobile", screen: "Home", status: 200, state: "complete", size: 1000, is_cached: false, seconds, ...row }, spans, bytes };
}

const before = detail(0.1, { profile: [0.02], rating: [0.05], cart: [0.03] });

test("a part with another state comes first, then the largest differences; chance is no difference", () => {
  const after = detail(0.7, { profile: [0.0205], rating: [0.6], cart: [0.03, "fallback"] });
  assert.deepEqual(partChanges(before, after).map(({ name, isChanged }) => [name, isChanged]), [["cart", true], ["rating", true], ["profile", false]]);
});

test("the summary says states, milliseconds with their part, and bytes", () => {
  const after = detail(0.7, { profile: [0.02], rating: [0.6, "fallback"], cart: [0.03] }, { state: "degraded", size: 900 });
  assert.equal(summaryOf(before, after, write), "**Degraded** instead of complete, **600 ms slower**: `rating` by 550 ms, 100 B smaller. `rating` ok → fallback.");
});

test("a part that only one of them has is named", () => {
  const after = detail(0.1, { profile: [0.02], cart: [0.03] });
  assert.equal(summaryOf(before, after, write), "As fast, with the same state and size. `rating` ok → not there.");
});

test("equal requests are said to be equal", () => {
  assert.equal(summaryOf(before, before, write), "As fast, with the same state and size.");
});

test("a faster one without a part to thank is faster", () => {
  assert.equal(summaryOf(detail(0.5, { a: [0.1] }), detail(0.1, { a: [0.1] }), write), "**400 ms faster**.");
});
