import assert from "node:assert/strict";
import test from "node:test";
import { processOptions } from "../src/pages/upstreams/processes.js";

const processes = [1, 2, 3].map((pid) => ({ gateway: "web", pid, layers: [] }));

test("each process says that it is one of several", () => {
  const textsOf = (state) => processOptions({ gateway: "web", pid: 2, layers: [{ state }], processes }).map(([, text]) => text);
  assert.deepEqual(textsOf("failed"), ["web, process 2: worst of 3", "web, process 1: 1 of 3", "web, process 2: 2 of 3", "web, process 3: 3 of 3"]);
  assert.equal(textsOf("ok")[0], "web, process 2: busiest of 3");
});

test("the only process is that of its gateway", () => {
  assert.deepEqual(processOptions({ gateway: "web", pid: 1, layers: [], processes: processes.slice(0, 1) }), [["", "web"]]);
});
