import assert from "node:assert/strict";
import { test } from "node:test";

import { changed, choices, isSoldOut, room, stockOf, variantOf, variantWords } from "../../../bffs/web/pages/store/variants.js";

const variant = (sku, color, size) => ({ sku, options: [{ name: "color", value: color }, { name: "size", value: size }] });
const DESKS = [variant("1-BLK-80", "BLK", "80"), variant("1-BLK-120", "BLK", "120"), variant("1-NAV-80", "NAV", "80")];
const STOCK = {
  status: "low",
  variants: [
    { sku: "1-BLK-80", status: "in_stock", available: 12 },
    { sku: "1-BLK-120", status: "out_of_stock", available: 0 },
    { sku: "1-NAV-80", status: "low", available: 2 },
  ],
};

test("each choice has its values once, in the order of the variants", () => {
  const found = choices(DESKS).map(({ name, values }) => [name, values.map(({ value }) => value)]);

  assert.deepEqual(found, [["color", ["BLK", "NAV"]], ["size", ["80", "120"]]]);
});

const OPTIONS = [{ name: "color", label: "Colour", values: [{ id: "NAV", label: "Navy" }] }];

test("options and values have the words of the product; without them their ids", () => {
  const [colour, size] = choices([variant("1", "NAV", "80"), variant("2", "XYZ", "80")], OPTIONS);

  assert.equal(colour.label, "Colour");
  assert.deepEqual(colour.values.map(({ label }) => label), ["Navy", "XYZ"]);
  assert.equal(size.label, "size");
});

test("another colour has the same size, if there is one", () => {
  assert.equal(changed(DESKS, DESKS[0], "color", "NAV").sku, "1-NAV-80");
});

test("else it has the first that there is", () => {
  assert.equal(changed(DESKS, DESKS[1], "color", "NAV").sku, "1-NAV-80");
  assert.equal(changed(DESKS, DESKS[2], "size", "120").sku, "1-BLK-120");
});

test("a value without any variant changes nothing", () => {
  assert.equal(changed(DESKS, DESKS[0], "color", "RED"), DESKS[0]);
});

test("a variant is found by all its options", () => {
  assert.equal(variantOf(DESKS, { color: "BLK", size: "120" }).sku, "1-BLK-120");
  assert.equal(variantOf(DESKS, { color: "NAV", size: "120" }), undefined);
});

test("a value is sold out if what it leads to is; not if the stock is not known", () => {
  assert.equal(isSoldOut(DESKS, STOCK, DESKS[0], "size", "120"), true);
  assert.equal(isSoldOut(DESKS, STOCK, DESKS[0], "color", "NAV"), false);
  assert.equal(isSoldOut(DESKS, null, DESKS[0], "size", "120"), false);
});

test("the stock of a variant, or null", () => {
  assert.equal(stockOf(STOCK, "1-NAV-80").available, 2);
  assert.equal(stockOf(STOCK, "other"), null);
  assert.equal(stockOf(null, "1-NAV-80"), null);
});

test("the cart holds no more than there are, and 99 at most", () => {
  assert.equal(room({ available: 2 }, 0), 2);
  assert.equal(room({ available: 2 }, 5), 0);
  assert.equal(room({ available: 500 }, 90), 9);
  assert.equal(room(null, 98), 1);
});

test("a variant in words", () => {
  assert.equal(variantWords(DESKS[2], OPTIONS), "Navy, 80");
  assert.equal(variantWords(DESKS[2]), "NAV, 80");
});
