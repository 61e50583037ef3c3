import assert from "node:assert/strict";
import test from "node:test";
import { partColours } from "../src/part-colours.js";

const screens = [{ screen: "Home", views: [], parts: ["profile", "orders", "cart"] }];

test("a part has the colour of its place in the screen, whatever else a client requested", () => {
  const [all, few] = [["profile", "orders", "cart"], ["cart"]].map((names) => partColours(screens, "Home", names));
  assert.equal(all("cart"), 3);
  assert.equal(few("cart"), 3);
});

test("parts of another screen follow, and the rest of a body has no colour", () => {
  const colours = partColours(screens, "Home", ["cart", "product"]);
  assert.equal(colours("product"), 4);
  assert.equal(colours("other"), 0);
});

test("while the screens are loaded, parts have colours in the order in which they appear", () => {
  assert.equal(partColours(null, "Home", ["cart"])("cart"), 1);
});
