import assert from "node:assert/strict";
import test from "node:test";
import { brief, differences, linesOf, partOf } from "../src/pages/requests/json-lines.js";

const value = { cart: { count: 2 }, picks: [{ id: "1", price: { amount: 5 } }, { id: "2", price: { amount: 6 } }] };
const origins = { "/cart": "cart", "/picks": "picks", "/picks/0/price": "price", "/picks/1/price": "price" };
const texts = (toggled = []) => linesOf(value, origins, new Set(toggled)).map(({ text, part }) => [text.trim(), part]);

test("a field is from the part of the longest pointer above it", () => {
  assert.equal(partOf(origins, "/picks/0/price/amount"), "price");
  assert.equal(partOf(origins, "/picks/0/id"), "picks");
  assert.equal(partOf(origins, "/other"), "");
  assert.equal(partOf({ "": "page" }, "/a/b"), "page");
});

test("what mixes parts is open, all else is one line", () => {
  assert.deepEqual(texts(), [
    ['"cart": { "count": 2 },', "cart"], ['"picks": [ {', "picks"], ['"id": "1",', "picks"], ['"price": { "amount": 5 }', "price"], ["}, +1 ]", "picks"],
  ]);
});

test("the other items of an array are shown when they are wanted", () => {
  const amounts = texts(["/picks/*"]).filter(([, part]) => part === "price").map(([text]) => text);
  assert.deepEqual(amounts, ['"price": { "amount": 5 }', '"price": { "amount": 6 }']);
});

test("pointers escape what they separate with", () => {
  const [line] = linesOf({ "a/b": 1 }, { "/a~1b": "odd" }, new Set());
  assert.equal(line.part, "odd");
});

test("long values are cut on one line", () => {
  assert.equal(brief([{ a: "x".repeat(40) }, {}, {}]), `[ { "a": "${"x".repeat(40)}" }, +2 ]`);
  assert.equal(brief({ a: "x".repeat(40), b: { c: 1 }, d: [1, 2] }), `{ "a": "${"x".repeat(40)}", "b": {…}, "d": [2] }`);
  assert.equal(brief(null), "null");
});

test("differences name the pointer, and what was and is there", () => {
  assert.deepEqual(differences({ a: 1, b: [1, { c: 2 }], d: 1 }, { a: 1, b: [1, { c: 3 }], e: 1 }), [
    { pointer: "/b/1/c", before: 2, after: 3 }, { pointer: "/d", before: 1, after: undefined }, { pointer: "/e", before: undefined, after: 1 },
  ]);
  assert.deepEqual(differences({ a: {} }, { a: {} }), []);
});
