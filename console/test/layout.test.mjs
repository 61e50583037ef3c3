import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { placeLabels } from "../src/components/event-labels.js";
import { chosenRows, effectOf } from "../src/pages/overview/chosen.js";
import { LEAST_WIDTH, layOut, related } from "../src/pages/overview/layout.js";

const overview = JSON.parse(readFileSync(new URL("../fixtures/overview.json", import.meta.url)));
const map = layOut(overview, 1194);

test("a screen that is complete without a service that is down may have it cached", () => {
  assert.equal(effectOf({ state: "ok" }, { is_critical: true }), "fails without it unless cached");
  assert.equal(effectOf({ state: "fallback" }, { is_critical: false }), "shows less");
});

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

const gateways = [{ gateway: "web" }, { gateway: "mobile" }];
const screen = (gateway, number, state = "ok", more = {}) => ({ gateway, screen: `S${number}`, route: `GET /${number}`, rate: 1, state, blame: [], ...more });
const names = (screens) => screens.map(({ gateway, screen: name }) => `${gateway} ${name}`);

test("screens that suffer come first, those without requests and other routes are folded", () => {
  const many = ["web", "mobile"].flatMap((gateway) => Array.from({ length: 9 }, (_, index) => screen(gateway, index, ["ok", "quiet", "fallback"][index % 3])));
  const { rows, rests } = chosenRows([...many, screen("web", 99, "ok", { is_screen: false })], gateways, false);
  assert.deepEqual(names(rows).slice(0, 6), ["web S2", "web S5", "web S8", "mobile S2", "mobile S5", "mobile S8"]);
  assert.deepEqual(names(rows).slice(6), ["web S0", "web S3", "mobile S0", "mobile S3"]);
  assert.deepEqual(rests.map(({ screen: words }) => words), ["1 more screen complete, 3 without requests, 1 other route", "1 more screen complete, 3 without requests"]);
});

test("all rows are shown on demand, and where they are few", () => {
  const few = [screen("web", 1), screen("mobile", 1, "quiet")];
  assert.deepEqual(chosenRows(few, gateways, false), { rows: few, rests: [] });
  const many = Array.from({ length: 30 }, (_, index) => screen("web", index));
  assert.equal(chosenRows(many, gateways, true).rows.length, 30);
});

test("a gateway without screens shows its routes", () => {
  const routes = Array.from({ length: 12 }, (_, index) => screen("web", index, "ok", { is_screen: false }));
  assert.equal(chosenRows(routes, gateways, false).rows.length, 10);
});

test("labels of events never cover each other, and those that are near share one", () => {
  const events = [100, 104, 108, 300, 340, 640, 690].map((x) => ({ x, text: `event at ${x}` }));
  const labels = placeLabels(events, { left: 34, right: 700 }, (text) => ({ text, width: text.length * 6 }));
  assert.equal(labels.at(-1).text, "event at 100 +2");
  for (const one of labels) {
    assert.ok(one.from >= 34 && one.to <= 700, one.text);
    for (const other of labels) assert.ok(one === other || one.row !== other.row || one.from >= other.to || one.to <= other.from, `${one.text} and ${other.text}`);
  }
  assert.equal(labels.length, 5);
});

test("comfortable rows are high, however many there are", () => {
  assert.deepEqual([layOut(overview, 1194).row, layOut(overview, 1194, true).row], [28, 36]);
});
