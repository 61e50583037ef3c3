import assert from "node:assert/strict";
import { test } from "node:test";

import { addressOf, createRouter, match } from "../../../bffs/web/pages/shared/router.js";

const ROUTES = [["/"], ["/product/:id"], ["/orders"], ["/orders/:id"], ["/category/*"]];

test("the route and its parameters are found", () => {
  const found = (path) => {
    const { route, params } = match(ROUTES, path);
    return [route[0], params];
  };
  assert.deepEqual(found("/"), ["/", {}]);
  assert.deepEqual(found(""), ["/", {}]);
  assert.deepEqual(found("/product/7"), ["/product/:id", { id: "7" }]);
  assert.deepEqual(found("/orders/"), ["/orders", {}]);
  assert.deepEqual(found("/orders/a%2Fb"), ["/orders/:id", { id: "a/b" }]);
  assert.deepEqual(found("/orders/%E0"), ["/orders/:id", { id: "%E0" }]);
  assert.deepEqual(found("/category/outdoor/tents"), ["/category/*", { rest: "outdoor/tents" }]);
});

test("other paths have no route", () => {
  for (const path of ["/product", "/product/7/reviews", "/order"]) assert.equal(match(ROUTES, path), null, path);
});

test("an empty segment has no route", () => {
  for (const path of ["//", "//[", "/orders//", "//orders", "/product//7"]) assert.equal(match(ROUTES, path), null, path);
});

test("an address is read, whatever it is", () => {
  const read = (text) => {
    const { path, query } = addressOf(text);
    return [path, query.toString()];
  };
  assert.deepEqual(read(""), ["/", ""]);
  assert.deepEqual(read("/search?q=a?b"), ["/search", "q=a%3Fb"]);
  assert.deepEqual(read("?q=a"), ["/", "q=a"]);
  assert.deepEqual([read("//"), read("//["), read("//host/a?b=1")], [["//", ""], ["//[", ""], ["//host/a", "b=1"]]);
});

test("addresses with two slashes are shown as missing", () => {
  const shown = [];
  const missing = ({ path }) => shown.push(path);
  globalThis.location = { pathname: "/store//[", search: "", hash: "#//" };
  createRouter({ base: "/store", routes: [["/", assert.fail]], missing }).again();
  createRouter({ routes: [["/", assert.fail]], missing }).again();

  assert.deepEqual(shown, ["//[", "//"]);
});
