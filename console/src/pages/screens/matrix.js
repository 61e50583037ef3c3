// The failure matrix: what each client gets while one service fails.
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../../components/icons.js";
import { Dot } from "../../components/state.js";
import { bytes } from "../../format.js";
import { html } from "../../html.js";
import { installation } from "../../live-stream.js";
import { clientOf } from "./clients.js";
import { servicesOf } from "./parts.js";

const ROOMY = 3; // clients beside which the parts have a column of their own

export function Matrix({ data, base, probe, breakThese, computeMatrix }) {
  const cellsOf = (name) => base.matrix.find(({ upstream }) => upstream === name)?.cells ?? [];
  const rows = base.has_matrix ? base.matrix : servicesOf(base.plan).map((row) => ({ ...row, cells: cellsOf(row.upstream) }));
  const degraded = new Set(base.plan.filter((node) => node.state !== "ok").flatMap((node) => node.upstreams));
  const table = useRef(null);
  const canBreak = installation.value?.is_development !== false;
  const had = useRef(base.has_matrix);
  useEffect(() => { // its button is gone: the keyboard goes on at the first service
    if (base.has_matrix && !had.current && document.activeElement === document.body) table.current.querySelector("button")?.focus({ preventScroll: true });
  }, [base.has_matrix]);
  const isWide = base.clients.length > ROOMY;
  return html`<div class="scroll" role="region" aria-label="Failure matrix" tabindex="0"><table ref=${table} class="mx ${isWide ? "wide" : ""}"><caption class="sr">What each client gets while a service fails</caption>
      <thead><tr><th scope="col">Service</th>${!isWide && html`<th scope="col">Parts</th>`}${base.clients.map((client) => html`<th scope="col" title=${client.route}><${Icon} name=${clientOf(client).icon} size=${14} />${wordOf(client, base.clients)}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<${Row} key=${row.upstream} row=${row} clients=${base.clients} isWide=${isWide} broken=${data.broken} isNow=${degraded.has(row.upstream)} canBreak=${canBreak} probe=${probe} breakThese=${breakThese} />`)}</tbody>
    </table></div>
    ${!base.has_matrix && html`<div class="compute"><p>Not computed yet. The console requests the screen once for each service and client, with that service failing and without caches.</p>
      ${canBreak ? html`<button type="button" class="btn go" disabled=${probe.running !== ""} onClick=${computeMatrix}>${probe.running === "matrix" ? "Computing …" : "Compute all"}</button>` : html`<p>That is possible in development only.</p>`}</div>`}`;
}

/** The word of a client; routes tell several views of one gateway apart. */
function wordOf(client, clients) {
  const isAlone = clients.filter(({ gateway }) => gateway === client.gateway).length === 1;
  return isAlone ? clientOf(client).word : `${clientOf(client).word} · ${client.route}`;
}

function Row({ row, clients, isWide, broken, isNow, canBreak, probe, breakThese }) {
  const isBroken = broken.includes(row.upstream);
  const toggle = () => breakThese(isBroken ? broken.filter((name) => name !== row.upstream) : [...broken, row.upstream]);
  const cells = clients.map((client) => row.cells.find((cell) => cell.gateway === client.gateway && cell.route === client.route));
  return html`<tr class=${isNow || isBroken ? "now" : ""}>
    <th scope="row"><button type="button" class="brk" aria-pressed=${String(isBroken)} disabled=${probe.running === "matrix" || !canBreak} title=${isBroken ? `Let ${row.upstream} answer again` : `Break ${row.upstream} in this page`} onClick=${toggle}>${row.upstream}</button>${isWide && html`<small title=${row.parts.join(", ")}>${row.parts.join(", ")}</small>`}</th>
    ${!isWide && html`<td class="muted" title=${row.parts.join(", ")}>${row.parts.join(", ")}</td>`}
    ${cells.map((cell) => html`<${Cell} cell=${cell} />`)}
  </tr>`;
}

function Cell({ cell }) {
  if (!cell) return html`<td class="cx none"><span aria-label="not computed">–</span></td>`;
  if (!cell.is_used) return html`<td class="cx none">not used</td>`;
  if (cell.state === "failed" || cell.status >= 400) return html`<td class="cx x-failed"><${Dot} state="failed" /><span>${cell.status >= 400 ? cell.status : `no ${cell.route.includes(" ") ? "data" : cell.route}`}</span></td>`;
  return html`<td class="cx x-${cell.state}"><${Dot} state=${cell.state ?? "missing"} /><span>${short(cell.size)}</span></td>`;
}

/** Sizes in the matrix have two digits: 2.8 KB, 34 KB. */
function short(size) {
  if (size === null) return "–";
  return size >= 10_000 && size < 1e6 ? `${Math.round(size / 1000)} KB` : bytes(size);
}
