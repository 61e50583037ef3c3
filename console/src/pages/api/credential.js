// How the reader's requests authenticate: by what the gateway says that it accepts.
import { useState } from "preact/hooks";
import { CopyButton } from "../../components/code.js";
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

/** {kinds, kind, value, headers, isSession, …}: `headers` are those that a request needs; with `isSession` the console adds the browser's cookie. */
export function useCredential(gateway) {
  const kinds = gateway.credentials ?? [];
  const [index, choose] = useState(0);
  const [, redraw] = useState(0);
  const kind = kinds[index] ?? null;
  const value = kind ? valueOf(gateway, kind) : "";
  const write = (next) => (typed.set(keyOf(gateway, kind), next), redraw((count) => count + 1));
  const isSession = kind !== null && !value && Boolean(kind.sign_in) && installation.value?.is_development === true;
  const headers = value || isSession ? [[kind.header, `${kind.prefix}${value}`], ...besides(kind, gateway)] : [];
  return { kinds, kind, value, headers: isSession ? headers.slice(1) : headers, isSession, choose, write, gateway };
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
export function CredentialField({ credential: { kinds, kind, value, isSession, choose, write, gateway } }) {
  if (!kind) return html`<p class="hint">This gateway authenticates no one: all callers are anonymous.${installation.value?.is_development && html` With <code>BFF_AUTH=demo</code> it accepts <code>demo-1</code>.`}</p>`;
  const options = kinds.map((one, index) => html`<option key=${index} value=${String(index)} selected=${one === kind}>${nameOf(one)}</option>`);
  return html`<label><span>${kinds.length > 1 ? html`<select aria-label="Kind of credential" onChange=${(event) => choose(Number(event.target.value))}>${options}</select>` : nameOf(kind)}</span>
      <input type=${!value || isExample(kind, value) ? "text" : "password"} aria-label=${nameOf(kind)} aria-describedby="credential-hint" value=${value} placeholder=${isSession ? "the cookie of this browser" : "none: anonymous"} autocomplete="off" spellcheck=${false} onInput=${(event) => write(event.target.value.trim())} /></label>
    <p class="hint" id="credential-hint"><${Hint} kind=${kind} gateway=${gateway} /></p>`;
}

/** Where to get a credential: a command to paste, or a page to sign in. */
export function Hint({ kind, gateway }) {
  if (kind.command && installation.value?.is_development) return html`This prints a token: <code>${kind.command}</code> <${CopyButton} text=${kind.command} label="Copy the command" />`;
  const signIn = kind.sign_in && installation.value?.is_development && html` <a href=${`${gateway.url}${kind.sign_in}`} target="_blank" rel="noreferrer">Sign in</a>`;
  return html`${kind.hint}${signIn}`;
}
