// What stands below the waterfall: the composed JSON, the headers, the log lines.
import { useLayoutEffect, useMemo, useState } from "preact/hooks";
import { Empty } from "../../components/panels.js";
import { PartStatus } from "../../components/part-status.js";
import { fieldsOf, timeOfDay } from "../../format.js";
import { html } from "../../html.js";
import { valueOf } from "../../json-text.js";
import { hrefOf } from "../../router.js";
import { linesOf } from "./json-lines.js";

const MASKED = "***";
const CLOSING = /^\s*[}\]]/;
const DEGRADED = ["fallback", "partial", "missing", "forbidden", "failed"];

/** The JSON with a gutter and a tint by part; copy gives it plain. */
export function ResponseBody({ detail, colourOf }) {
  const [toggled, toggle] = useState(new Set());
  useLayoutEffect(() => toggle(new Set()), [detail]);
  const value = useMemo(() => valueOf(detail.body), [detail]);
  const states = useMemo(() => new Map(detail.spans.filter(({ kind }) => kind === "part").map((span) => [span.name, span])), [detail]);
  const status = detail.response_headers.find(([name, value]) => name.toLowerCase() === "part-status" && value !== MASKED);
  const partStatus = status && html`<p class="ps"><code><${PartStatus} header=${status[1]} /></code></p>`;
  if (value === undefined) return html`<${Empty} title=${detail.body ? "Not JSON" : "No body is stored"} text=${detail.body ? detail.body.slice(0, 2000) : detail.body_note} />${partStatus}`;
  const lines = linesOf(value, detail.origins, toggled);
  const flip = (pointer) => toggle((old) => (old.has(pointer) ? new Set([...old].filter((one) => one !== pointer)) : new Set([...old, pointer])));
  return html`<ol class="json">${lines.map((line, index) => html`<${Line} key=${index} line=${line} span=${states.get(line.part)} colour=${colourOf(line.part)} isFirst=${lines[index - 1]?.part !== line.part} flip=${flip} />`)}</ol>
    ${partStatus}`;
}

function Line({ line, span, colour, isFirst, flip }) {
  const isHit = span && DEGRADED.includes(span.outcome);
  const code = html`<code>${line.text}</code>`;
  return html`<li class=${`${colour ? `p${colour}` : "none"} ${isHit ? "hit" : ""}`}>
    ${line.fold ? html`<button type="button" aria-expanded=${String(line.fold === "open")} onClick=${() => flip(line.pointer)}>${code}</button>` : code}
    ${isFirst && line.part && !CLOSING.test(line.text) && html`<span>${labelOf(line.part, span)}</span>`}</li>`;
}

function labelOf(part, span) {
  if (!span || span.outcome === "ok") return part;
  return `${part} · ${span.outcome === "stale" && span.age ? `${Math.round(span.age)} s old` : span.outcome}`;
}

export function Headers({ detail }) {
  const part = (title, headers) => html`<table class="headers"><caption>${title}</caption><tbody>${headers.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody></table>`;
  return html`${part(`Request ${detail.path}`, detail.request_headers)}${part("Response", detail.response_headers)}<p class="muted">Credentials and personal data are redacted. Trace <code>${detail.trace_id || "none"}</code></p>`;
}

export function LogLines({ logs }) {
  if (!logs.length) return html`<${Empty} title="No log lines" text="No process wrote a line with this request's id." />`;
  return html`<ol class="loglines">${logs.map((line) => html`<li key=${line.id}><a href=${hrefOf("logs", { query: { request: line.request_id, line: line.id } })}>${timeOfDay(line.time)}</a><span class="muted">${line.process}</span><span class=${`lv ${line.level}`}>${line.level}</span><span class="txt">${line.text} <span class="muted">${fieldsOf(line)}</span></span></li>`)}</ol>`;
}
