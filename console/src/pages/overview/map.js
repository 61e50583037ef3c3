// The dependency map: screens, gateways and services as table rows, with the traffic between them.
import { useMemo, useState } from "preact/hooks";
import { Bar, Sparkline } from "../../components/charts.js";
import { clientIcon } from "../../components/icons.js";
import { shapeOf } from "../../components/state.js";
import { duration, number, percent, rate, wholePercent } from "../../format.js";
import { html } from "../../html.js";
import { installation } from "../../live-stream.js";
import { isComfortable } from "../../settings.js";
import { hrefOf, query } from "../../router.js";
import { BUDGET_NOTE, BURN_NOTE, burnOf, hasBudget, isBurning } from "./budget.js";
import { chosenRows, effectOf, isBad } from "./chosen.js";
import { layOut, related } from "./layout.js";
import { fit } from "../../measure.js";

export function DependencyMap({ now, width, isWhole }) {
  const [active, point] = useState(null);
  const map = useMemo(() => {
    const { rows, rests } = chosenRows(now.screens, now.gateways, isWhole);
    return layOut({ ...now, screens: rows, rests }, width, isComfortable.value);
  }, [now, width, isWhole, isComfortable.value]);
  const lit = active && related(map.edges, active);
  const isDim = (id) => (lit && !lit.nodes.has(id) ? "dim" : "");
  const hover = (id) => ({ onMouseEnter: () => point(id), onMouseLeave: () => point(null), onFocus: () => point(id), onBlur: () => point(null) });
  return html`<svg class="map" width=${width} height=${map.height} role="group" aria-label=${sentenceOf(now)}>
    <${Heads} columns=${map.columns} />
    ${map.edges.map((edge) => html`<${Edge} key=${`${edge.from}>${edge.to}`} edge=${edge} isDim=${lit && !lit.edges.has(edge)} />`)}
    ${map.screenNodes.map((node) => html`<${node.screen.rest ? RestNode : ScreenNode} key=${node.id} node=${node} row=${map.row} columns=${map.columns} kind=${isDim(node.id)} hover=${hover(node.id)} />`)}
    ${map.gatewayNodes.map((node) => html`<${GatewayNode} key=${node.id} node=${node} x=${map.columns.gatewayStart} kind=${isDim(node.id)} hover=${hover(node.id)} />`)}
    ${map.upstreamNodes.map((node) => html`<${UpstreamNode} key=${node.id} node=${node} row=${map.row} columns=${map.columns} kind=${isDim(node.id)} hover=${hover(node.id)} />`)}
  </svg>`;
}

function sentenceOf({ screens, upstreams }) {
  const bad = upstreams.filter(isBad).map(({ upstream }) => upstream);
  const suffering = screens.filter(isBad).map(({ gateway, screen }) => `${gateway} ${screen}`);
  const names = [bad.length && `in trouble: ${bad.join(", ")}`, suffering.length && `suffering: ${suffering.join(", ")}`].filter(Boolean);
  return `Screens, gateways and services; ${names.join("; ") || "none is in trouble"}.`;
}

function Label({ x, y, end = false, size = 12, class: kind = "f-ink2", weight = 400, children }) {
  return html`<text x=${x} y=${y} class=${kind} font-size=${size} font-weight=${weight} text-anchor=${end ? "end" : "start"}>${children}</text>`;
}

function Heads({ columns }) {
  const { left, right } = columns;
  const head = (x, text, end = false) => html`<${Label} x=${x} y="20" end=${end} size="11" class="f-muted">${text}<//>`;
  return html`<g aria-hidden="true">${head(16, "Screen")}${head(left.complete, "complete", true)}${head(left.p95, "p95", true)}${columns.isBudgetShown && html`<g><title>${`${BUDGET_NOTE}. ${BURN_NOTE}.`}</title>${head(left.bar, "budget left, burn rate")}</g>`}
    ${head(columns.gatewayStart, "Gateway")}${head(columns.rightStart + 18, "Service")}
    ${head(right.rate, "calls/s", true)}${head(right.p95, "p95", true)}${head(right.errors, "errors", true)}
    ${columns.isCourseShown && head(right.course, "latency")}</g>`;
}

function Edge({ edge, isDim }) {
  const { path, tone, width, isDashed, rate: calls } = edge;
  const isMoving = calls > 0 && !isDashed;
  return html`<g class=${`edge ${isDim ? "dim" : ""}`} aria-hidden="true">
    <path class="f-none k-${tone}" d=${path} stroke-width=${width.toFixed(1)} stroke-dasharray=${isDashed ? "5 4" : undefined} />
    ${isMoving && html`<path class="flow f-none k-${tone === "wait" ? "work" : "surface"}" d=${path} pathLength="100" stroke-width=${Math.max(1.6, width * 0.6).toFixed(1)} style=${{ "--turn": `${turnOf(calls)}s` }} />`}
  </g>`;
}

/** Seconds that a dot takes along an edge: fewer, the more calls there are. */
function turnOf(calls) {
  return Math.max(1.5, 6 - Math.log2(1 + calls) * 0.6).toFixed(1);
}

/** Nodes are drawn for a row of 36 px; in lower rows they stand higher, and their tint is lower. */
function placeIn(node, row) {
  return { y: node.y - (36 - row) / 2, tint: { y: node.y + (row > 30 ? 3 : 1), height: row - (row > 30 ? 6 : 2) } };
}

/** "fails without users" for critical services that are down, else "less without reviews". */
function lackOf(down) {
  const critical = down.filter((one) => one.is_critical);
  const names = (critical.length ? critical : down).map(({ upstream }) => upstream).join(", ");
  return names && `${critical.length ? "fails" : "less"} without ${names}`;
}

function ScreenNode({ node, row, columns, kind, hover }) {
  const { screen } = node;
  const { y, tint } = placeIn(node, row);
  const { left } = columns;
  const suffers = isBad(screen);
  const base = y + 22;
  const strong = suffers ? { weight: 600, class: "f-ink" } : {};
  const isQuiet = screen.complete === null && screen.rate === 0;
  const room = left.complete - left.name - (isQuiet ? 36 : 50);
  const name = fit(screen.screen, "600 12px", room);
  const lacks = suffers ? "" : lackOf(screen.down ?? []);
  const needed = fit(lacks, "11px", room - name.width - 7);
  const route = screen.route === screen.screen ? { text: "", width: 0 } : fit(screen.route, "11px", room - name.width - needed.width - (lacks ? 20 : 4));
  const query = { gateway: screen.gateway, route: screen.route, state: { failed: "failed", fallback: "degraded" }[screen.state] };
  return html`<g class=${kind}>${node.isFirst && html`<path d="M16 ${node.y}H${left.end}" class="k-line" />`}
    <a href=${hrefOf("requests", { query })} ...${hover}><title>${screenSentence(screen)}</title>
      <rect x="8" ...${tint} width=${left.end - 8} rx="6" class=${suffers ? `f-${shapeOf(screen.state)}-tint` : "hit"} />
      <svg x="16" y=${y + 12} width="12" height="12" class="c-${shapeOf(screen.state)}"><use href="#i-${shapeOf(screen.state)}" /></svg>
      <${Label} x=${left.name} y=${base} weight="600" class="f-ink">${name.text}<//>
      <${Label} x=${left.name + name.width + 7} y=${base} size="11" class="f-muted">${route.text}<//>
      ${lacks && html`<${Label} x=${left.name + name.width + 7 + (route.text ? route.width + 7 : 0)} y=${base} size="11" class=${screen.down[0].is_critical ? "f-failed-text" : "f-fallback-text"}>${needed.text}<//>`}
      ${isQuiet ? html`<${Label} x=${left.p95} y=${base} end size="11" class="f-muted">no requests<//>` : html`<${Label} x=${left.complete} y=${base} end ...${strong} class="f-ink">${percent(screen.complete)}<//>
      <${Label} x=${left.p95} y=${base} end ...${strong}>${screen.p95 === null && screen.rate > 0 ? "stream" : duration(screen.p95)}<//>`}
      ${columns.isBudgetShown && html`<${Budget} screen=${screen} y=${y} left=${left} strong=${strong} />`}
    </a></g>`;
}

/** All screens of a gateway that have no row: a click shows them. */
function RestNode({ node, row, columns, kind, hover }) {
  const { screen } = node;
  const { y, tint } = placeIn(node, row);
  const { left } = columns;
  return html`<g class=${kind}>${node.isFirst && html`<path d="M16 ${node.y}H${left.end}" class="k-line" />`}
    <a href=${hrefOf("overview", { query: { ...Object.fromEntries(query.value), all: "1" } })} ...${hover}><title>${`On ${screen.gateway}: ${screen.screen}. Show them.`}</title>
      <rect x="8" ...${tint} width=${left.end - 8} rx="6" class="hit" />
      <svg x="16" y=${y + 12} width="12" height="12" class="c-${shapeOf(screen.state)}"><use href="#i-${shapeOf(screen.state)}" /></svg>
      <${Label} x=${left.name} y=${y + 22} class="f-muted">${fit(screen.screen, "12px", left.p95 - left.name).text}<//></a></g>`;
}

function Budget({ screen, y, left, strong }) {
  const share = screen.budget_left;
  if (!hasBudget(screen)) return html`<${Label} x=${left.bar} y=${y + 22} size="11" class="f-muted">no objective<//>`;
  const tone = share <= 0 ? "failed" : share < 0.25 ? "fallback" : "work";
  const burning = isBurning(screen) && { class: "f-failed-text", weight: 600 };
  return html`<${Bar} x=${left.bar} y=${y + 15} width=${40} share=${share} tone=${tone} />
    <${Label} x=${left.end - 8} y=${y + 22} end size="11" ...${strong} ...${burning}>${wholePercent(share)}${burning && ` · ${burnOf(screen)}`}<//>`;
}

function screenSentence(screen) {
  const left = hasBudget(screen) ? `, ${wholePercent(screen.budget_left)} of the error budget left, burn rate ${burnOf(screen)}` : "";
  const figures = screen.complete === null && screen.rate === 0 ? "no requests" : `${percent(screen.complete)} complete, p95 ${duration(screen.p95)}`;
  const down = (screen.down ?? []).map((one) => `; ${one.upstream} is down: it ${effectOf(screen, one)}`).join("");
  return `${screen.screen} on ${screen.gateway}, ${screen.route}: ${figures}${left}${down}`;
}

function GatewayNode({ node, x, kind, hover }) {
  const { gateway, y } = node;
  const info = installation.value?.gateways.find(({ name }) => name === gateway.gateway);
  const shape = shapeOf(gateway.state);
  const port = info?.url ? portOf(info.url) : "";
  return html`<a class=${kind} href=${hrefOf("requests", { query: { gateway: gateway.gateway } })} ...${hover}><title>${`Gateway ${gateway.gateway}: ${rate(gateway.rate)} requests per second, ${percent(gateway.complete)} complete`}</title>
    <rect x=${x} y=${y} width=${node.width} height=${node.height} rx="8" class="f-surface k-control" />
    <svg x=${x + 12} y=${y + 11} width="16" height="16" class="ink2"><use href="#i-${clientIcon(gateway.gateway)}" /></svg>
    <${Label} x=${x + 36} y=${y + 23} size="13" weight="600" class="f-ink">${fit(gateway.gateway, "600 13px", 56).text}<//>
    <${Label} x=${x + 132} y=${y + 23} end class="f-ink">${rate(gateway.rate)}/s<//>
    <${Label} x=${x + 12} y=${y + 41} size="11" class="f-muted">${fit(info?.kinds ?? "", "11px", 84).text}<//><${Label} x=${x + 132} y=${y + 41} end size="11" class="f-muted">${port}<//>
    <svg x=${x + 12} y=${y + 47} width="10" height="10" viewBox="0 0 12 12" class="c-${shape}"><use href="#i-${shape}" width="12" height="12" /></svg>
    <${Label} x=${x + 27} y=${y + 56} size="11">${gateway.complete === null ? "no requests" : `${wholePercent(gateway.complete)} complete`}${gateway.refused > 0 ? `, ${number(gateway.refused)}/s shed` : ""}<//>
  </a>`;
}

function portOf(url) {
  const { port } = new URL(url, location.href);
  return port && `:${port}`;
}

function UpstreamNode({ node, row, columns, kind, hover }) {
  const { upstream } = node;
  const { y, tint } = placeIn(node, row);
  const { right } = columns;
  const shape = shapeOf(upstream.state);
  const suffers = isBad(upstream);
  const isQuiet = upstream.rate === 0 && upstream.p95 === null;
  const strong = suffers ? { weight: 600, class: "f-ink" } : {};
  const base = y + 22;
  const p95 = upstream.is_stopped
    ? html`<${Label} x=${right.p95} y=${base} end weight="600" class="f-failed-text">stopped<//>`
    : html`<${Label} x=${right.p95} y=${base} end ...${strong}>${duration(upstream.p95)}<//>`;
  const figures = html`<${Label} x=${right.rate} y=${base} end>${rate(upstream.rate)}<//>${p95}
    <${Label} x=${right.errors} y=${base} end ...${strong}>${wholePercent(upstream.errors)}<//>`;
  return html`<a class=${kind} href=${hrefOf("upstreams", { subject: upstream.upstream })} ...${hover}><title>${upstreamSentence(upstream)}</title>
    <rect x=${columns.rightStart} ...${tint} width=${columns.rightWidth} rx="6" class=${suffers ? `f-${shape}-tint` : "hit"} />
    <svg x=${right.dot} y=${y + 12} width="12" height="12" class="c-${shape}"><use href="#i-${shape}" /></svg>
    <${Label} x=${right.name} y=${base} weight="600" class="f-ink">${fit(upstream.upstream, "600 12px", 112).text}<//>
    ${isQuiet && !upstream.is_stopped ? html`<${Label} x=${right.errors} y=${base} end size="11" class="f-muted">no calls<//>` : figures}
    ${columns.isCourseShown && html`<${Sparkline} x=${right.course} y=${y + 9} values=${upstream.course} height=${18} tone=${suffers ? shape : "work"} />`}
  </a>`;
}

function upstreamSentence({ upstream, is_stopped: isStopped, rate: calls, p95, errors }) {
  const state = isStopped ? "stopped, " : "";
  return `Service ${upstream}: ${state}${rate(calls)} calls per second, p95 ${duration(p95)}, ${wholePercent(errors)} errors`;
}
