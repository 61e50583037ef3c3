// The dependency map as tables: for the keyboard, phones and screen readers.
import { Bar } from "../../components/charts.js";
import { Dot } from "../../components/state.js";
import { Table } from "../../components/table.js";
import { duration, number, percent, rate, wholePercent } from "../../format.js";
import { html } from "../../html.js";
import { hrefOf } from "../../router.js";
import { isBad } from "./chosen.js";

const tint = (row) => (isBad(row) ? `row-${row.state}` : "");

const SCREENS = [
  { title: "screen", cell: (row) => html`<span class="row"><${Dot} state=${row.state} label=${wordOf(row)} />${row.is_screen === false ? "" : html`<a class="b" href=${hrefOf("screens", { subject: row.screen })}>${row.screen}</a>`}</span>` },
  { title: "gateway", cell: (row) => row.gateway },
  { title: "route", cell: (row) => html`<a href=${hrefOf("requests", { query: { gateway: row.gateway, route: row.route } })}>${row.route}</a>` },
  { title: "requests/s", isNumber: true, cell: (row) => rate(row.rate) },
  { title: "complete", isNumber: true, cell: (row) => percent(row.complete) },
  { title: "p50", isNumber: true, cell: (row) => duration(row.p50) },
  { title: "p95", isNumber: true, cell: (row) => duration(row.p95) },
  { title: "objective", cell: (row) => row.objective || html`<span class="muted">none</span>` },
  { title: "budget left", isNumber: true, cell: (row) => html`<span class="left"><${Bar} share=${row.budget_left ?? 0} tone=${row.budget_left <= 0 ? "failed" : "work"} />${wholePercent(row.budget_left)}</span>` },
  { title: "to blame", cell: (row) => row.blame.map(({ part, upstream, reason, share }) => html`<span>${part} waits for <a href=${hrefOf("upstreams", { subject: upstream })}>${upstream}</a> (${words(reason)}, ${wholePercent(share)})</span>`) },
  { title: "needs what is down", cell: (row) => (row.down ?? []).map(({ upstream, is_critical: critical }) => html`<span>${upstream}: ${critical ? "fails without it" : "shows less"}</span>`) },
];

function wordOf({ state }) {
  return state === "quiet" ? "no requests" : state === "fallback" ? "degraded" : state;
}

function words(code) {
  return code.replaceAll("_", " ");
}

const ROUTES = SCREENS.slice(1);

const GATEWAYS = [
  { title: "gateway", cell: (row) => html`<span class="row"><${Dot} state=${row.state} /><a class="b" href=${hrefOf("requests", { query: { gateway: row.gateway } })}>${row.gateway}</a></span>` },
  { title: "requests/s", isNumber: true, cell: (row) => rate(row.rate) },
  { title: "complete", isNumber: true, cell: (row) => percent(row.complete) },
  { title: "loop lag", isNumber: true, cell: (row) => duration(row.lag) },
  { title: "shed/s", isNumber: true, cell: (row) => number(row.refused) },
];

const SERVICES = [
  { title: "service", cell: (row) => html`<span class="row"><${Dot} state=${row.state} label=${row.is_stopped ? "stopped" : row.state === "quiet" ? "no calls" : row.state} /><a class="b" href=${hrefOf("upstreams", { subject: row.upstream })}>${row.upstream}</a></span>` },
  { title: "calls/s", isNumber: true, cell: (row) => rate(row.rate) },
  { title: "p50", isNumber: true, cell: (row) => duration(row.p50) },
  { title: "p95", isNumber: true, cell: (row) => duration(row.p95) },
  { title: "p99", isNumber: true, cell: (row) => duration(row.p99) },
  { title: "errors", isNumber: true, cell: (row) => wholePercent(row.errors) },
  { title: "called by", cell: (row) => row.callers },
];

export function DependencyTables({ now }) {
  const callers = (name) => now.edges.filter(({ target }) => target === name).map(({ source, rate: calls }) => `${source} ${rate(calls)}/s`).join(", ");
  const services = now.upstreams.map((row) => ({ ...row, callers: callers(row.upstream) }));
  const [screens, routes] = [true, false].map((is) => now.screens.filter(({ is_screen: own = true }) => own === is));
  const table = (caption, columns, rows) => rows.length > 0 && html`<${Table} caption=${caption} columns=${columns} rows=${rows} keyOf=${(row) => `${row.gateway} ${row.route}`} rowClass=${tint} />`;
  return html`${table("Screens", SCREENS, screens)}${table("Other routes", ROUTES, routes)}
    <${Table} caption="Gateways" columns=${GATEWAYS} rows=${now.gateways} keyOf=${(row) => row.gateway} rowClass=${tint} />
    <${Table} caption="Services" columns=${SERVICES} rows=${services} keyOf=${(row) => row.upstream} rowClass=${tint} />`;
}
