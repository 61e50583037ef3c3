import assert from "node:assert/strict";
import { test } from "node:test";

import { watchIdentity } from "../../../bffs/web/pages/start/people.js";

/** What the watch says of each state of `identity`, one after the other. */
function backs(reason, ...states) {
  const isBack = watchIdentity(reason);
  return states.map((state) => isBack([{ name: "users", state: "running" }, { name: "identity", state }]));
}

test("an error of the sign-in goes when identity runs again", () => {
  assert.deepEqual(backs("sign_in_failed", "running", "stopping", "stopped", "starting", "running"), [false, false, false, false, true]);
});

test("an error that was no outage stays while identity runs", () => {
  assert.deepEqual(backs("access_denied", "running", "running"), [false, false]);
});

test("an outage that ended before the page was there is over", () => {
  assert.deepEqual(backs("provider_unavailable", "unknown", "running"), [false, true]);
});

test("without identity among the services nothing is known", () => {
  assert.equal(watchIdentity("provider_unavailable")([]), false);
});
