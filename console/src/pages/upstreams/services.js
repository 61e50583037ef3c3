// The table of services: traffic, and the state of the layers between us and them.
import { Bar } from "../../components/charts.js";
import { Badge, Dot } from "../../components/state.js";
import { Table } from "../../components/table.js";
import { millis, rate, wholePercent } from "../../format.js";
import { html } from "../../html.js";
import { go, hrefOf } from "../../router.js";

const BUSY = 0.6; // of the permits
const HIGH_SHARE_OF_ERRORS = 0.05;
const ORDER = ["failed", "fallback", "stale", "ok", "missing"];

/** The name of the service that is worst now; the first one if all are well. */
export function worst(rows) {
  const byState = [...rows].sort((one, other) => ORDER.indexOf(one.figures.state) - ORDER.indexOf(other.figures.state));
  return byState[0]?.figures.upstream ?? "";
}

function addressOf(row) {
  return `${hrefOf("upstreams", { subject: row.figures.upstream })}${location.search}`;
}

function labelOf({ state, is_stopped: isStopped }) {
  return isStopped ? "stopped" : state === "missing" ? "not called" : state;
}

const COLUMNS = [
  { title: "Service", cell: (row) => html`<span class="svc"><${Dot} state=${row.figures.state} label=${labelOf(row.figures)} /><a href=${addressOf(row)}>${row.figures.upstream}</a>${row.figures.is_stopped && html`<b class="t-failed">stopped</b>`}</span>` },
  { title: "calls/s", isNumber: true, cell: ({ figures }) => rate(figures.rate) },
  { title: "p50 ms", isNumber: true, cell: ({ figures }) => millis(figures.p50) },
  { title: "p95", isNumber: true, cell: ({ figures }) => html`<span class=${figures.state === "ok" ? "" : "b"}>${millis(figures.p95)}</span>` },
  { title: "p99", isNumber: true, cell: ({ figures }) => millis(figures.p99) },
  { title: "errors", isNumber: true, cell: ({ figures }) => html`<span class=${figures.errors >= HIGH_SHARE_OF_ERRORS ? "b" : "ink2"}>${wholePercent(figures.errors)}</span>` },
  { title: "breaker", cell: (row) => html`<${Breaker} row=${row} />` },
  { title: "bulkhead", cell: (row) => html`<${Bulkhead} row=${row} />` },
  { title: "retry budget", cell: ({ retry_budget: used }) => (used === null ? html`<span class="muted">off</span>` : meter(used, used >= 1 ? "spent" : wholePercent(used), used >= 1 ? "failed" : used > BUSY ? "fallback" : "work", 48)) },
  { title: "cache", isNumber: true, cell: ({ cache }) => html`<span class="ink2">${cache === null ? "off" : wholePercent(cache)}</span>` },
  { title: "endpoints", cell: (row) => html`<${Endpoints} row=${row} />` },
];

export function Services({ rows, chosen }) {
  return html`<section class="card tb" aria-label="Services"><${Table} caption="Services in the last 5 minutes" columns=${COLUMNS} rows=${rows}
    keyOf=${(row) => row.figures.upstream} chosen=${chosen} open=${(row) => go(addressOf(row), { replace: true })} /></section>`;
}

function Breaker({ row }) {
  const { breaker, failed, window: last, is_forced: isForced } = row;
  if (breaker === "closed" && (last === 0 || failed / last < 0.2)) return html`<span class="ink2">closed</span>`;
  if (breaker === "off") return html`<span class="muted">off</span>`;
  const detail = breaker === "closed" ? `${failed} of ${last} failed` : isForced ? "by an operator" : "";
  return html`<${Badge} state=${breaker === "closed" ? "fallback" : breaker} word=${breaker} detail=${detail} />`;
}

function Bulkhead({ row: { in_use: taken, permits } }) {
  if (permits === null) return html`<span class="muted">off</span>`;
  const share = taken / permits;
  return meter(share, `${taken} of ${permits}`, share >= 1 ? "failed" : share > BUSY ? "fallback" : "work", 64);
}

function meter(share, words, tone, width) {
  return html`<span class="mm"><${Bar} share=${share} width=${width} tone=${tone} />${words}</span>`;
}

function Endpoints({ row }) {
  const names = row.endpoints.map((one) => `${one.address} ${one.is_ejected ? "ejected" : one.state}`);
  if (!names.length) return html`<span class="muted">–</span>`;
  return html`<svg width=${names.length * 12} height="9" role="img" aria-label=${names.join(", ")}><title>${names.join("\n")}</title>
    ${row.endpoints.map((one, index) => (one.is_ejected
      ? html`<rect x=${index * 12 + 0.75} y=".75" width="7.5" height="7.5" rx="1.5" class="f-none k-failed" stroke-dasharray="2 1.5" />`
      : html`<rect x=${index * 12} width="9" height="9" rx="2" class="f-${one.state}" />`))}</svg>`;
}
