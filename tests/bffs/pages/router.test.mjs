import assert from "node:assert/strict";
import { test } from "node:test";

import { match } from "../../../bffs/web/pages/shared/router.js";

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
