import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { LEAST_WIDTH, layOut, related } from "../src/pages/overview/layout.js";

const overview = JSON.parse(readFileSync(new URL("../fixtures/overview.json", import.meta.url)));
const map = layOut(overview, 1194);

test("columns do not overlap at any width that has a map", () => {
  for (let width = LEAST_WIDTH; width < 2000; width += 37) {
    const { left, gatewayStart, gatewayEnd, rightStart } = layOut(overview, width).columns;
    assert.ok(left.end + 40 < gatewayStart && gatewayEnd + 40 < rightStart, `at ${width}`);
  }
});

test("gateways do not overlap, even with one screen each", () => {
  const screens = overview.screens.filter(({ screen }) => screen === "Home");
  const nodes = layOut({ ...overview, screens }, 1194).gatewayNodes;
  for (const [index, node] of nodes.slice(1).entries()) assert.ok(node.y >= nodes[index].y + node.height);
});

test("edges of a cause are drawn last", () => {
  const tones = map.edges.map(({ tone }) => tone !== "wait");
  assert.deepEqual(tones, [...tones].sort());
  assert.equal(tones.filter(Boolean).length, 7);
});

test("a degraded screen belongs to its gateway and what is to blame", () => {
  assert.deepEqual([...related(map.edges, "web home").nodes], ["web home", "at web", "to reviews"]);
});

test("a service belongs to its gateways and the screens that suffer from it", () => {
  const { nodes } = related(map.edges, "to reviews");
  assert.ok(nodes.has("web home") && nodes.has("at mobile"));
});

test("a map without screens and services is empty, not broken", () => {
  const empty = layOut({ screens: [], gateways: [], upstreams: [], edges: [] }, 1194);
  assert.deepEqual([empty.edges.length, empty.screenNodes.length], [0, 0]);
});

test("many rows are lower, and the shorter column stands in the middle", () => {
  const screens = Array.from({ length: 22 }, (_, index) => ({ ...overview.screens[0], route: `r${index}` }));
  const { row, height, screenNodes, upstreamNodes } = layOut({ ...overview, screens }, 1194);
  assert.equal(row, 28);
  assert.ok(height < 700);
  assert.equal(upstreamNodes[0].y - screenNodes[0].y, screenNodes.at(-1).y - upstreamNodes.at(-1).y);
});
