// The dependency map as tables: for the keyboard, phones and screen readers.
import { Bar } from "../../components/charts.js";
import { Dot } from "../../components/state.js";
import { Table } from "../../components/table.js";
import { duration, number, percent, rate, wholePercent } from "../../format.js";
import { html } from "../../html.js";
import { reasonInWords } from "../../reasons.js";
import { hrefOf } from "../../router.js";
import { BUDGET_NOTE, BURN_NOTE, burnOf, hasBudget, isBurning } from "./budget.js";
import { chosenRows, effectOf, isBad } from "./chosen.js";

const tint = (row) => (isBad(row) ? `row-${row.state}` : "");

const SCREENS = [
  { title: "screen", cell: (row) => html`<span class="row"><${Dot} state=${row.state} label=${wordOf(row)} />${row.is_screen === false ? "" : html`<a class="b" href=${hrefOf("screens", { subject: row.screen })}>${row.screen}</a>`}</span>` },
  { title: "gateway", cell: (row) => row.gateway },
  { title: "route", cell: (row) => html`<a href=${hrefOf("requests", { query: { gateway: row.gateway, route: row.route } })}>${row.route}</a>` },
  { title: "requests/s", isNumber: true, cell: (row) => rate(row.rate) },
  { title: "complete", isNumber: true, cell: (row) => percent(row.complete) },
  { title: "p50", isNumber: true, cell: (row) => duration(row.p50) },
  { title: "p95", isNumber: true, cell: (row) => duration(row.p95) },
  { title: "to blame", class: "wraps", cell: (row) => row.blame.map(({ part, upstream, reason, share }) => html`<span>${part || "the gateway"}${upstream && html`: <a href=${hrefOf("upstreams", { subject: upstream })}>${upstream}</a>`} ${reasonInWords(reason)}, ${wholePercent(share)}</span>`) },
  { title: "objective", isOfObjective: true, cell: (row) => row.objective || html`<span class="muted">none</span>` },
  { title: "budget left", note: BUDGET_NOTE, isOfObjective: true, isNumber: true, cell: (row) => hasBudget(row) && html`<span class="left"><${Bar} width=${40} share=${row.budget_left} tone=${row.budget_left <= 0 ? "failed" : "work"} />${wholePercent(row.budget_left)}</span>` },
  { title: "burn rate", note: BURN_NOTE, isOfObjective: true, isNumber: true, cell: (row) => html`<span class=${isBurning(row) ? "t-failed" : ""}>${burnOf(row)}</span>` },
  { title: "needs what is down", class: "wraps", cell: (row) => (row.down ?? []).map((down) => html`<span>${down.upstream}: ${effectOf(row, down)}</span>`) },
];

/** The columns that say something of these rows: without objectives those of budgets are left out. */
function columnsFor(columns, rows) {
  const has = { objective: rows.some(hasBudget), blame: rows.some(({ blame }) => blame.length), down: rows.some(({ down }) => down?.length) };
  const isNeeded = ({ title, isOfObjective }) => (isOfObjective ? has.objective : title === "to blame" ? has.blame : title === "needs what is down" ? has.down : true);
  return columns.filter(isNeeded);
}

function wordOf({ state }) {
  return state === "quiet" ? "no requests" : state === "fallback" ? "degraded" : state;
}

const ROUTES = SCREENS.slice(1);

const GATEWAYS = [
  { title: "gateway", cell: (row) => html`<span class="row"><${Dot} state=${row.state} /><a class="b" href=${hrefOf("requests", { query: { gateway: row.gateway } })}>${row.gateway}</a></span>` },
  { title: "requests/s", isNumber: true, cell: (row) => rate(row.rate) },
  { title: "complete", isNumber: true, cell: (row) => percent(row.complete) },
  { title: "workers", isNumber: true, cell: ({ workers, silent }) => html`${workers.length}${silent.length > 0 && html`, <b class="t-failed">${silent.length} silent</b>`}` },
  { title: "in flight", isNumber: true, cell: ({ workers }) => workers.reduce((sum, one) => sum + one.in_flight, 0) },
  { title: "loop lag", isNumber: true, cell: (row) => duration(row.lag) },
  { title: "shed/s", isNumber: true, cell: (row) => number(row.refused) },
];

const SERVICES = [
  { title: "service", cell: (row) => html`<span class="row"><${Dot} state=${row.state} label=${row.is_stopped ? "stopped" : row.state === "quiet" ? "no calls" : row.state} /><a class="b" href=${hrefOf("upstreams", { subject: row.upstream })}>${row.upstream}</a>${row.is_stopped && html`<b class="t-failed">stopped</b>`}</span>` },
  { title: "calls/s", isNumber: true, cell: (row) => rate(row.rate) },
  { title: "p50", isNumber: true, cell: (row) => duration(row.p50) },
  { title: "p95", isNumber: true, cell: (row) => duration(row.p95) },
  { title: "p99", isNumber: true, cell: (row) => duration(row.p99) },
  { title: "errors", isNumber: true, cell: (row) => wholePercent(row.errors) },
  { title: "called by", cell: (row) => row.callers },
];

/** The processes of a gateway that answer, and those that do not. */
function processesOf({ installation }, gateway) {
  const { workers = [], silent = [] } = installation.gateways.find(({ name }) => name === gateway) ?? {};
  return { workers, silent };
}

export function DependencyTables({ now, isWhole }) {
  const callers = (name) => now.edges.filter(({ target, rate: calls }) => target === name && calls > 0).map(({ source, rate: calls }) => `${source} ${rate(calls)}/s`).join(", ");
  const gateways = now.gateways.map((row) => ({ ...row, ...processesOf(now, row.gateway) }));
  const services = now.upstreams.map((row) => ({ ...row, callers: callers(row.upstream) }));
  const { rows } = chosenRows(now.screens, now.gateways, isWhole);
  const [screens, routes] = [true, false].map((is) => rows.filter(({ is_screen: own = true }) => own === is));
  const table = (caption, columns, rows) => rows.length > 0 && html`<${Table} caption=${caption} columns=${columnsFor(columns, rows)} rows=${rows} keyOf=${(row) => `${row.gateway} ${row.route}`} rowClass=${tint} />`;
  return html`${table("Screens", SCREENS, screens)}${table("Other routes", ROUTES, routes)}
    <${Table} caption="Gateways" columns=${GATEWAYS} rows=${gateways} keyOf=${(row) => row.gateway} rowClass=${tint} />
    <${Table} caption="Services" columns=${SERVICES} rows=${services} keyOf=${(row) => row.upstream} rowClass=${tint} />`;
}
