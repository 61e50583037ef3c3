import assert from "node:assert/strict";
import { test } from "node:test";

import { Results } from "../../../bffs/web/pages/phone/results.js";

const page = (ids, next = null) => ({ items: ids.map((id) => ({ id })), next });
const idsOf = ({ items }) => items.map(({ id }) => id);

test("another query replaces what was found, also by nothing or by the first of the same products", () => {
  for (const found of [[], ["1"], ["1", "2"], ["3"]]) {
    const results = new Results();
    results.accept(page(["1", "2"], "more"));
    results.begin();

    assert.equal(results.next, null);
    assert.equal(results.accept(page(found)), true);
    assert.deepEqual(idsOf(results), found);
  }
});

test("the same query loaded again keeps the pages that were added", () => {
  const results = new Results();
  results.accept(page(["1", "2"], "a"));
  results.add(results.turn, page(["3"], "b"));

  assert.equal(results.accept(page(["1", "2"], "a")), false);
  assert.deepEqual([idsOf(results), results.next], [["1", "2", "3"], "b"]);
});

test("the same query replaces them if it finds something else or nothing", () => {
  for (const found of [[], ["2", "1"]]) {
    const results = new Results();
    results.accept(page(["1", "2"], "a"));
    results.add(results.turn, page(["3"]));

    assert.equal(results.accept(page(found)), true);
    assert.deepEqual(idsOf(results), found);
  }
});

test("a page of an older query is not added", () => {
  const results = new Results();
  results.accept(page(["1"], "a"));
  const { turn } = results;
  results.begin();
  results.accept(page(["9"]));

  assert.equal(results.add(turn, page(["2"])), false);
  assert.deepEqual(idsOf(results), ["9"]);
});
