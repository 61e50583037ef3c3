// How two requests differ: what is different first, and what is equal folded.
import { bytes, count, millis } from "../../format.js";
import { html } from "../../html.js";
import { valueOf } from "../../json-text.js";
import { Badge } from "../../components/state.js";
import { partChanges } from "./changes.js";
import { brief, differences } from "./json-lines.js";

/** `before` is the request that another one is compared with, `after` the one that is open. */
export function Differences({ before, after }) {
  const changes = partChanges(before, after);
  const [changed, equal] = [changes.filter(({ isChanged }) => isChanged), changes.filter(({ isChanged }) => !isChanged)];
  return html`<table class="differences"><caption>Parts: <code>${before.row.id}</code> → <code>${after.row.id}</code></caption>
    <thead><tr><th scope="col">part</th><th scope="col">was</th><th scope="col">is</th><th scope="col" class="num">ms</th><th scope="col" class="num">change</th><th scope="col" class="num">bytes</th><th scope="col" class="num">change</th></tr></thead>
    <tbody><tr><th scope="row">whole request</th><td><${Badge} state=${before.row.state} /></td><td><${Badge} state=${after.row.state} /></td><${Change} was=${before.row.seconds} is=${after.row.seconds} write=${millis} /><${Change} was=${before.row.size} is=${after.row.size} write=${bytes} /></tr>
    ${changed.map((change) => html`<${PartRow} key=${change.name} ...${change} />`)}</tbody></table>
    ${equal.length > 0 && html`<details class="equal"><summary>${count(equal.length, "part")} without a difference</summary><table class="differences"><caption class="sr">Parts without a difference</caption><tbody>${equal.map((change) => html`<${PartRow} key=${change.name} ...${change} />`)}</tbody></table></details>`}
    <${JsonDifferences} before=${before.body} after=${after.body} />`;
}

function PartRow({ name, was, is }) {
  const state = (part) => (part ? html`<${Badge} state=${part.state} />` : html`<span class="muted">not there</span>`);
  return html`<tr><th scope="row">${name}</th><td>${state(was)}</td><td>${state(is)}</td><${Change} was=${was?.seconds ?? null} is=${is?.seconds ?? null} write=${millis} /><${Change} was=${was?.sent ?? null} is=${is?.sent ?? null} write=${bytes} /></tr>`;
}

function Change({ was, is, write }) {
  const difference = was === null || is === null ? null : is - was;
  const sign = difference > 0 ? "+" : "−";
  return html`<td class="num">${write(is)}</td><td class="num ${difference ? "b" : "muted"}">${difference === null ? "" : difference === 0 ? "0" : `${sign}${write(Math.abs(difference))}`}</td>`;
}

function JsonDifferences({ before, after }) {
  const [was, is] = [valueOf(before), valueOf(after)];
  if (was === undefined || is === undefined) return html`<p class="muted">The JSON of one of them is not stored.</p>`;
  const found = differences(was, is);
  if (!found.length) return html`<p class="muted">The JSON of both is equal.</p>`;
  const text = (value) => (value === undefined ? html`<span class="muted">not there</span>` : html`<code>${brief(value)}</code>`);
  return html`<table class="differences"><caption>JSON: ${count(found.length, "field")} ${found.length === 1 ? "differs" : "differ"}</caption><thead><tr><th scope="col">field</th><th scope="col">was</th><th scope="col">is</th></tr></thead>
    <tbody>${found.map((one) => html`<tr key=${one.pointer}><th scope="row"><code>${one.pointer || "/"}</code></th><td>${text(one.before)}</td><td>${text(one.after)}</td></tr>`)}</tbody></table>`;
}
