// How two requests differ: milliseconds and bytes by part, and the JSON.
import { bytes, millis } from "../../format.js";
import { html } from "../../html.js";
import { Badge } from "../../components/state.js";
import { brief, differences } from "./jsonlines.js";
import { rowsOf } from "./rows.js";

function partsOf(detail) {
  const sent = new Map(detail.bytes.map(({ part, sent: size }) => [part, size]));
  return new Map(rowsOf(detail).filter(({ part }) => part).map((row) => [row.part, { seconds: row.seconds, state: row.state, sent: sent.get(row.part) ?? null }]));
}

/** `before` is the request that was chosen first, `after` the one that is open. */
export function Differences({ before, after }) {
  const [one, other] = [partsOf(before), partsOf(after)];
  const names = [...new Set([...other.keys(), ...one.keys()])];
  return html`<table class="differences"><caption>Parts: <code>${before.row.id}</code> → <code>${after.row.id}</code></caption>
    <thead><tr><th scope="col">part</th><th scope="col">was</th><th scope="col">is</th><th scope="col" class="num">ms</th><th scope="col" class="num">change</th><th scope="col" class="num">bytes</th><th scope="col" class="num">change</th></tr></thead>
    <tbody><tr><th scope="row">whole request</th><td><${Badge} state=${before.row.state} /></td><td><${Badge} state=${after.row.state} /></td><${Change} was=${before.row.seconds} is=${after.row.seconds} write=${millis} /><${Change} was=${before.row.size} is=${after.row.size} write=${bytes} /></tr>
    ${names.map((name) => html`<${PartRow} key=${name} name=${name} was=${one.get(name)} is=${other.get(name)} />`)}</tbody></table>
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
  const found = valueOf(before) === undefined || valueOf(after) === undefined ? null : differences(valueOf(before), valueOf(after));
  if (found === null) return html`<p class="muted">The JSON of one of them is not stored.</p>`;
  if (!found.length) return html`<p class="muted">The JSON of both is equal.</p>`;
  const text = (value) => (value === undefined ? html`<span class="muted">not there</span>` : html`<code>${brief(value)}</code>`);
  return html`<table class="differences"><caption>JSON: ${found.length} differences</caption><thead><tr><th scope="col">field</th><th scope="col">was</th><th scope="col">is</th></tr></thead>
    <tbody>${found.map((one) => html`<tr key=${one.pointer}><th scope="row"><code>${one.pointer || "/"}</code></th><td>${text(one.before)}</td><td>${text(one.after)}</td></tr>`)}</tbody></table>`;
}

function valueOf(text) {
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
