// The plan of a screen as a graph: a column for each depth, a row for each part.
import { useState } from "preact/hooks";
import { Card } from "../../components/card.js";
import { Shape } from "../../components/state.js";
import { count, duration, millis, percent } from "../../format.js";
import { html } from "../../html.js";
import { partClass } from "../../part-colours.js";
import { hrefOf } from "../../router.js";
import { criticalPath } from "./parts.js";

const ROOT = { width: 84, height: 54 };
const NODE = { width: 164, height: 46 };
const STEP = { x: 198, y: 58, first: 108 };
const BUSY = 0.8; // of its timeout

/** Where each part stands; the rows of a column are centred on the root. */
function layout(plan) {
  const columns = [];
  for (const node of plan) (columns[node.column] ??= []).push(node);
  const most = Math.max(1, ...columns.map((column) => column?.length ?? 0));
  const places = new Map();
  columns.forEach((column, index) => {
    const first = Math.ceil((most - column.length) / 2);
    column.forEach((node, row) => places.set(node.part, { x: STEP.first + index * STEP.x, y: (first + row) * STEP.y }));
  });
  const middle = Math.ceil((most - 1) / 2) * STEP.y + NODE.height / 2;
  const size = { width: STEP.first + columns.length * STEP.x - (STEP.x - NODE.width), height: most * STEP.y - (STEP.y - NODE.height) };
  return { places, middle, ...size };
}

/** The share of its timeout that a part's p95 takes, null if it has none. */
function shareOf(node) {
  return node.timeout && node.p95 !== null ? Math.min(1, node.p95 / node.timeout) : null;
}

/** The card with the graph; its header describes the part that is pointed at. */
export function Plan({ screen, plan, colourOf, broken, explain }) {
  const [looked, look] = useState(null);
  const { places, middle, width, height } = layout(plan);
  const path = criticalPath(plan);
  const node = plan.find(({ part }) => part === looked);
  return html`<${Card} title="Plan" class="plancard" note=${node ? lineOf(node) : "bar: p95 as a share of the part's timeout"} end=${explain && !node && html`<code>${explain}</code>`}>
    <div class="plan"><div class="canvas" style=${{ "--w": `${width + 4}px`, "--h": `${height + 4}px` }}>
      <svg width=${width} height=${height} aria-hidden="true">${edges(plan, places, middle, path).map((edge) => html`<path ...${edge} />`)}</svg>
      <div class="root" style=${{ "--x": "0px", "--y": `${middle - ROOT.height / 2}px` }}><b>${screen.replace(/([a-z])(?=[A-Z])/g, "$1\u200b")}</b><span>${count(plan.length, "part")}</span></div>
      <ul aria-label=${`Parts of ${screen}`}>${plan.map((one) => html`<li key=${one.part} style=${{ "--x": `${places.get(one.part).x}px`, "--y": `${places.get(one.part).y}px` }}>
        <${Node} node=${one} colour=${colourOf(one.part)} look=${look} isBroken=${one.upstreams.some((name) => broken.includes(name))} /></li>`)}</ul>
    </div></div><//>`;
}

function edges(plan, places, middle, path) {
  const drawn = [];
  const isOn = (from, to) => path.includes(to) && (from === null ? path[0] === to : path[path.indexOf(to) - 1] === from);
  for (const node of plan) {
    const to = places.get(node.part);
    const sources = node.awaits.filter((name) => places.has(name));
    for (const source of sources.length ? sources : [null]) {
      const from = source === null ? { x: ROOT.width, y: middle } : { x: places.get(source).x + NODE.width, y: places.get(source).y + NODE.height / 2 };
      drawn.push({ d: curve(from, { x: to.x, y: to.y + NODE.height / 2 }), ...look(node, isOn(source, node.part), source === null) });
    }
  }
  return drawn.sort((one, other) => one["stroke-width"] - other["stroke-width"]);
}

function look(node, isOnPath, isFirst) {
  if (isOnPath && (node.state !== "ok" || shareOf(node) > BUSY)) return { class: `f-none k-${node.state === "failed" ? "failed" : "fallback"}`, "stroke-width": 2.4 };
  if (isOnPath) return { class: "f-none k-work", "stroke-width": 2 };
  if (isFirst && node.is_critical) return { class: "f-none k-ink", "stroke-width": 1.6 };
  return { class: "f-none k-wait", "stroke-width": 1.3 };
}

function curve(from, to) {
  const middle = (from.x + to.x) / 2;
  return `M${from.x} ${from.y}C${middle} ${from.y} ${middle} ${to.y} ${to.x} ${to.y}`;
}

function Node({ node, colour, look: show, isBroken }) {
  const share = shareOf(node);
  const state = isBroken ? "failed" : node.state;
  const kind = node.is_critical ? "critical" : "";
  const describe = () => show(node.part);
  const content = html`<span class="line"><i class="swatch ${partClass(colour)}"></i><b>${node.part}</b><em>${standIn(node)}</em></span>
    <span class="line low">${state !== "ok" && html`<${Shape} state=${state} />`}<span class="up">${node.upstreams.join(", ") || "no service"}</span>${share !== null && html`<${Share} share=${share} state=${state} />`}</span><span class="sr">${sentenceOf(node, isBroken)}</span>`;
  const events = { onMouseEnter: describe, onMouseLeave: () => show(null), onFocus: describe, onBlur: () => show(null) };
  const shared = { class: `node ${kind} n-${state}`, ...events };
  if (!node.upstreams.length) return html`<span ...${shared} role="group" tabindex="0">${content}</span>`;
  return html`<a ...${shared} href=${hrefOf("upstreams", { subject: node.upstreams[0] })}>${content}</a>`;
}

/** What stands in for the part; long names leave room for the value alone. */
function standIn({ part, is_critical: isCritical, fallback }) {
  if (isCritical) return "critical";
  return fallback && (part.length > 13 ? fallback : `else ${fallback}`);
}

function Share({ share, state }) {
  const tone = state === "failed" ? "failed" : share > BUSY || state !== "ok" ? "fallback" : "work";
  return html`<svg width="50" height="5" aria-hidden="true"><rect width="50" height="5" rx="2.5" class="f-wait" opacity=".6" /><rect width=${Math.max(2, share * 50)} height="5" rx="2.5" class="f-${tone}" /></svg>`;
}

function sentenceOf(node, isBroken) {
  const limit = node.timeout ? ` of ${duration(node.timeout)}` : ", without a timeout of its own";
  const time = node.p95 === null ? "not requested yet" : `p95 ${duration(node.p95)}${limit}`;
  const awaits = node.awaits.length ? `, waits for ${node.awaits.join(", ")}` : "";
  return `, ${time}${awaits}${isBroken ? ", made to fail here" : node.state === "ok" ? "" : `, ${node.state} now`}`;
}

function lineOf(node) {
  const share = shareOf(node);
  const limit = node.timeout ? `timeout ${duration(node.timeout)}` : "ended by the request's deadline";
  const used = share === null ? "" : `, ${percent(share)} of it used`;
  return html`<b>${node.part}</b> p50 ${millis(node.p50)} ms · p95 ${millis(node.p95)} ms · ${limit}${used} · ${node.awaits.length ? `waits for ${node.awaits.join(", ")}` : "starts at once"}`;
}
