import assert from "node:assert/strict";
import test from "node:test";
import { MatrixMemory } from "../src/pages/screens/matrix-memory.js";

const client = (gateway, route, parts, { status = 200, size = 900, state = "complete" } = {}) => ({ gateway, route, status, size, state, parts: parts.map((part) => ({ part, outline: "{…}" })) });
const plan = [{ part: "profile", upstreams: ["users"] }, { part: "deals", upstreams: ["pricing"] }];
const usual = { plan, clients: [client("web", "home", ["profile", "deals"]), client("web", "viewer", ["profile"])], has_matrix: false, matrix: [] };
const broken = { plan, clients: [client("web", "home", ["profile"], { size: 700, state: "degraded" }), client("web", "viewer", ["profile"])] };
const card = { service: "users", state: "running", latency: 0, hits: 0, calls: 1 };
const overview = (...pids) => ({ installation: { gateways: [{ name: "web", workers: pids.map((pid) => ({ pid, started: 1, lag: 0 })) }] } });

function filled() {
  const memory = new MatrixMemory();
  memory.read({ faults: [card], overview: overview(1) });
  memory.add("Home", { ...usual, has_matrix: true, matrix: [{ upstream: "users", parts: ["profile"], cells: [] }] });
  return memory;
}

test("a matrix is there again for its screen and viewer, and for no other", () => {
  const memory = filled();
  assert.equal(memory.complete("Home", usual).has_matrix, true);
  assert.equal(memory.complete("Home?viewer=2", usual).has_matrix, false);
  assert.equal(memory.complete("Home", { ...usual, clients: [] }).has_matrix, false);
});

test("a service that was broken alone fills its row", () => {
  const memory = new MatrixMemory();
  memory.addRow("Home", "pricing", usual, broken);
  const { has_matrix: isWhole, matrix } = memory.complete("Home", usual);
  assert.equal(isWhole, false);
  assert.deepEqual(matrix.map(({ upstream, cells }) => [upstream, ...cells.map(({ is_used: isUsed, size, state }) => isUsed && [size, state])]), [["pricing", [700, "degraded"], false]]);
});

test("counts and slow processes change nothing", () => {
  const memory = filled();
  assert.equal(memory.read({ faults: [{ ...card, hits: 3, calls: 9 }], overview: overview() }), false);
  assert.equal(memory.read({ faults: null, overview: overview(1) }), false);
  assert.equal(memory.complete("Home", usual).has_matrix, true);
});

for (const [what, news] of [["a fault", { faults: [{ ...card, latency: 1 }], overview: null }], ["a process that started again", { faults: null, overview: overview(2) }]]) {
  test(`${what} makes the page compute again`, () => {
    const memory = filled();
    assert.equal(memory.read(news), true);
    assert.equal(memory.complete("Home", usual).has_matrix, false);
  });
}
