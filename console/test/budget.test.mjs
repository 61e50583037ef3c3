import assert from "node:assert/strict";
import test from "node:test";
import { burnOf, hasBudget, isBurning } from "../src/pages/overview/budget.js";

test("a burn rate above 1 spends the budget too fast", () => {
  const words = [0, 0.4, 1, 14.4, null].map((burn) => [burnOf({ burn }), isBurning({ burn })]);
  assert.deepEqual(words, [["0×", false], ["0.4×", false], ["1×", false], ["14.4×", true], ["–", false]]);
});

test("only a screen with an objective has a budget, also when nothing of it is left", () => {
  assert.deepEqual([{ budget_left: 0 }, { budget_left: null }, {}].map(hasBudget), [true, false, false]);
});
