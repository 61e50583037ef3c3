// Where the dependency map draws what: columns, rows and edges, in pixels. No drawing.
import { hasBudget } from "./budget.js";
import { isBad } from "./chosen.js";

const ROOMY = { row: 36, most: 10 }; // pixels of a row, up to so many rows
const DENSE_ROW = 28;
const TOP = 40;
const GATEWAY = { width: 144, height: 62, gap: 10 };
const EDGE = { least: 0.8, most: 5 };
const LEFT = { name: 36, complete: 268, p95: 322, bar: 342, end: 462, withoutBudget: 334 };
const RIGHT = { dot: 6, name: 26, rate: 176, p95: 244, errors: 294, course: 310, full: 394, withoutCourse: 304 };
const GAP = 60;
const MOST_FOR_ROUTES = 80; // pixels that routes get where no budget is shown

/** The least width of a map: below it the table takes its place. */
export const LEAST_WIDTH = LEFT.withoutBudget + GATEWAY.width + RIGHT.withoutCourse + 2 * GAP + 8;

/** All positions of a map that is `width` pixels wide; `rests` are what chosenRows() leaves out. Rows that are `roomy` are high, however many. */
export function layOut({ screens, rests = [], gateways, upstreams, edges }, width, roomy = false) {
  const isBudgetKnown = screens.some(hasBudget);
  const rest = width - GATEWAY.width - 2 * GAP - 8;
  const isCourseShown = rest >= LEFT.end + RIGHT.full;
  const isBudgetShown = isBudgetKnown && rest >= LEFT.end + RIGHT.withoutCourse;
  const rightWidth = isCourseShown ? RIGHT.full : RIGHT.withoutCourse;
  const spare = rest - LEFT.withoutBudget - rightWidth;
  const more = isBudgetShown ? 0 : Math.max(0, Math.min(spare, MOST_FOR_ROUTES));
  const leftEnd = isBudgetShown ? LEFT.end : LEFT.withoutBudget + more;
  const rightStart = width - 8 - rightWidth;
  const gatewayStart = (leftEnd + rightStart) / 2 - GATEWAY.width / 2;
  const left = { ...LEFT, complete: LEFT.complete + more, p95: LEFT.p95 + more, end: leftEnd };
  const right = Object.fromEntries(Object.entries(RIGHT).map(([name, offset]) => [name, rightStart + offset]));
  const gatewayEnd = gatewayStart + GATEWAY.width;
  const columns = { left, right, rightWidth, isBudgetShown, isCourseShown, gatewayStart, gatewayEnd, rightStart };
  const ordered = gateways.flatMap(({ gateway }) => [...screens, ...rests].filter((screen) => screen.gateway === gateway));
  const rows = Math.max(ordered.length, upstreams.length);
  const row = rows > ROOMY.most && !roomy ? DENSE_ROW : ROOMY.row;
  const topOf = (amount) => TOP + ((rows - amount) * row) / 2; // the shorter column stands in the middle
  const screenNodes = ordered.map((screen, index) => ({ id: idOf(screen), screen, y: topOf(ordered.length) + index * row, isFirst: index > 0 && ordered[index - 1].gateway !== screen.gateway }));
  const upstreamNodes = upstreams.map((upstream, index) => ({ id: `to ${upstream.upstream}`, upstream, y: topOf(upstreams.length) + index * row }));
  const gatewayNodes = placeGateways(gateways, screenNodes, row);
  const height = Math.max(TOP + rows * row, (gatewayNodes.at(-1)?.y ?? 0) + GATEWAY.height) + 8;
  return { columns, row, height, screenNodes, gatewayNodes, upstreamNodes, edges: edgesOf({ screenNodes, gatewayNodes, upstreamNodes, edges, columns, row }) };
}

function idOf({ gateway, route }) {
  return `${gateway} ${route}`;
}

/** Gateways stand in the middle of their screens, and never on each other. */
function placeGateways(gateways, screenNodes, row) {
  let free = TOP - 4;
  return gateways.map((gateway) => {
    const rows = screenNodes.filter(({ screen }) => screen.gateway === gateway.gateway).map(({ y }) => y + row / 2);
    const middle = rows.length ? (rows[0] + rows.at(-1)) / 2 : free + GATEWAY.height / 2;
    const y = Math.max(free, middle - GATEWAY.height / 2);
    free = y + GATEWAY.height + GATEWAY.gap;
    return { id: `at ${gateway.gateway}`, gateway, y, height: GATEWAY.height, width: GATEWAY.width };
  });
}

function edgesOf({ screenNodes, gatewayNodes, upstreamNodes, edges, columns, row }) {
  const found = [];
  const outgoing = edges.filter((edge) => gatewayNodes.some(({ gateway }) => gateway.gateway === edge.source));
  const most = Math.max(1, ...screenNodes.map(({ screen }) => screen.rate), ...outgoing.map((edge) => edge.rate));
  const widthOf = (rate) => EDGE.least + (EDGE.most - EDGE.least) * (rate / most);
  for (const node of gatewayNodes) {
    const into = screenNodes.filter(({ screen }) => screen.gateway === node.gateway.gateway);
    into.forEach(({ id, screen, y }, index) => {
      const to = node.y + (node.height * (index + 1)) / (into.length + 1);
      const isCause = isBad(screen) && screen.blame.length > 0;
      found.push(edge(id, node.id, columns.left.end, y + row / 2, columns.gatewayStart, to, { rate: screen.rate, width: widthOf(screen.rate), tone: isCause ? toneOf(screen.state) : "wait", isDashed: false, causes: screen.blame.map(({ upstream }) => upstream) }));
    });
    const out = upstreamNodes.map((target) => [target, outgoing.find(({ source, target: name }) => source === node.gateway.gateway && name === target.upstream.upstream)]).filter(([, match]) => match);
    out.forEach(([target, match], index) => {
      const from = node.y + (node.height * (index + 1)) / (out.length + 1);
      const tone = match.is_cause ? "failed" : "wait";
      const order = gatewayNodes.indexOf(node) - (gatewayNodes.length - 1) / 2;
      found.push(edge(node.id, target.id, columns.gatewayEnd, from, columns.rightStart, target.y + row / 2 + order * 5, { rate: match.rate, width: match.is_cause ? 2.2 : widthOf(match.rate), tone, isDashed: match.is_cause, causes: [] }));
    });
  }
  return [...found.filter(({ tone }) => tone === "wait"), ...found.filter(({ tone }) => tone !== "wait")];
}

function toneOf(state) {
  return state === "failed" ? "failed" : "fallback";
}

function edge(from, to, x1, y1, x2, y2, more) {
  const middle = (x1 + x2) / 2;
  const path = [`M${x1} ${y1}C${middle} ${y1}`, `${middle} ${y2}`, `${x2} ${y2}`].join(" ");
  return { from, to, path, ...more };
}

/**
 * The nodes and edges that belong to a node: of a screen its gateway and what is to blame (all
 * services of the gateway if nothing is), of a gateway all its neighbours, of a service all that need it.
 */
export function related(edges, id) {
  const nodes = new Set([id]);
  const near = edges.filter((one) => one.from === id || one.to === id);
  for (const one of near) nodes.add(one.from).add(one.to);
  const isScreen = near.length === 1 && near[0].to.startsWith("at ");
  const isService = id.startsWith("to ");
  const far = edges.filter((one) => isScreen ? leadsOn(near[0], one) : isService && nodes.has(one.to) && one.from !== id && !one.to.startsWith("to ") && suffers(one, id));
  for (const one of far) nodes.add(one.from).add(one.to);
  return { nodes, edges: new Set([...near, ...far]) };
}

function leadsOn(first, one) {
  return one.from === first.to && (!first.causes.length || first.causes.includes(one.to.slice(3)));
}

function suffers(one, id) {
  return !one.causes.length || one.causes.includes(id.slice(3));
}
