// How the reader's requests authenticate: by what the gateway says that it accepts.
import { useState } from "preact/hooks";
import { html } from "../../html.js";
import { installation } from "../../live-stream.js";
import { isExample } from "./snippets.js";

const typed = new Map(); // of this page's life: tokens are not stored

function keyOf(gateway, { header, prefix }) {
  return `${gateway.name} ${header} ${prefix}`;
}

/** What was typed for a kind of credential, or else the example that works as it is. */
function valueOf(gateway, kind) {
  return typed.get(keyOf(gateway, kind)) ?? kind.example ?? "";
}

/** {kinds, kind, value, headers, choose, write}: `headers` are those that a request needs. */
export function useCredential(gateway) {
  const kinds = gateway.credentials ?? [];
  const [index, choose] = useState(0);
  const [, redraw] = useState(0);
  const kind = kinds[index] ?? null;
  const value = kind ? valueOf(gateway, kind) : "";
  const write = (next) => (typed.set(keyOf(gateway, kind), next), redraw((count) => count + 1));
  const headers = value ? [[kind.header, `${kind.prefix}${value}`], ...besides(kind, gateway)] : [];
  return { kinds, kind, value, headers, choose, write };
}

/** With a cookie a request has to come from a page of the gateway (CSRF protection). */
function besides({ header }, { url }) {
  return header === "Cookie" ? [["X-CSRF", "1"], ["Origin", new URL(url).origin]] : [];
}

function nameOf({ header, prefix }) {
  if (header === "Authorization") return `${prefix.trim().toLowerCase()} token`;
  return header === "Cookie" ? `cookie ${prefix.replace(/=$/, "")}` : header;
}

/** The field for a credential, and where to get one; says so where no caller has any. */
export function CredentialField({ credential: { kinds, kind, value, choose, write } }) {
  if (!kind) return html`<p class="hint">This gateway authenticates no one: all callers are anonymous.${installation.value?.is_development && html` With <code>BFF_AUTH=demo</code> it accepts <code>demo-1</code>.`}</p>`;
  const options = kinds.map((one, index) => html`<option key=${index} value=${String(index)} selected=${one === kind}>${nameOf(one)}</option>`);
  return html`<label><span>${kinds.length > 1 ? html`<select aria-label="Kind of credential" onChange=${(event) => choose(Number(event.target.value))}>${options}</select>` : nameOf(kind)}</span>
      <input type=${!value || isExample(kind, value) ? "text" : "password"} aria-label=${nameOf(kind)} aria-describedby="credential-hint" value=${value} placeholder="none: anonymous" autocomplete="off" spellcheck=${false} onInput=${(event) => write(event.target.value.trim())} /></label>
    <p class="hint" id="credential-hint">${kind.hint}</p>`;
}
