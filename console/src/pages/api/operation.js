// One operation in full: authentication, parameters, body, responses.
import { Shape, statusClass } from "../../components/state.js";
import { marked } from "../../marked.js";
import { html } from "../../html.js";
import { flattened, limitsOf, resolved, typeOf } from "./document.js";
import { Method } from "./method.js";
import { Schema } from "./schema.js";

const STATES = [
  ["ok", "the value that the service sent"], ["stale", "from the cache, past its time; age= says how old, in seconds"], ["fallback", "a stand-in; reason= says why"],
  ["missing", "no value; reason= says why"], ["forbidden", "this viewer may not see it"],
];

export function Operation({ document, operation }) {
  return html`<section class="card operation" aria-label=${operation.title}>
    <header><h2>${operation.title}</h2>${operation.isDeprecated && html`<span class="end">deprecated</span>`}</header>
    <div class="pad"><p class="route"><${Method} name=${operation.method} /><code>${operation.path}</code></p>
      ${restOf(operation.text) && html`<p class="ink2">${marked(restOf(operation.text))}</p>`}
      <p class="ink2 auth">${authInWords(document, operation)}</p></div>
    ${operation.parameters.length > 0 && html`<${Parameters} document=${document} parameters=${operation.parameters} />`}
    ${operation.body && html`<div class="block"><h3>Request body <span class="muted">${operation.body.media}${operation.body.isRequired ? "" : ", optional"}</span></h3><${Schema} document=${document} schema=${operation.body.schema} /></div>`}
    <div class="block"><h3>Responses</h3>${operation.responses.map((one) => html`<${Response} key=${one.status} document=${document} response=${one} />`)}</div>
  </section>`;
}

function restOf(text) {
  return text.split("\n").slice(1).join(" ").trim();
}

function authInWords(document, { security }) {
  if (!security.length) return "Anyone may call it.";
  const words = security.map((one) => Object.entries(one).map(([name, scopes]) => `${schemeOf(document, name)}${scopes.length ? ` with ${scopes.join(", ")}` : ""}`).join(" and ") || "nothing");
  return `Needs ${words.join(", or ")}.`;
}

function schemeOf(document, name) {
  const scheme = resolved(document, document.components?.securitySchemes?.[name] ?? {});
  if (scheme.type === "http") return `a ${scheme.scheme} token`;
  if (scheme.type === "apiKey") return scheme.in === "cookie" ? `the cookie ${scheme.name} (sign in)` : `an API key in ${scheme.name}`;
  return name;
}

function Parameters({ document, parameters }) {
  return html`<div class="block"><h3>Parameters</h3><ul class="fields flat">${parameters.map((one) => {
    const flat = flattened(document, one.schema ?? {});
    return html`<li key=${`${one.in} ${one.name}`}><div class="field"><b>${one.name}</b><code>${typeOf(document, one.schema ?? {})}</code><em>${one.in}${one.required ? "" : ", optional"}</em><span class="facts">${marked([limitsOf(flat), one.description ?? flat.description].filter(Boolean).join(" · "))}</span></div></li>`;
  })}</ul></div>`;
}

function Response({ document, response }) {
  const contents = Object.entries(response.content ?? {});
  const headers = Object.entries(response.headers ?? {});
  const isFirst = /^2/.test(response.status);
  return html`<details class="response" open=${isFirst && contents.length > 0}><summary><b class=${statusClass(Number(response.status))}>${response.status}</b><span>${marked(response.description ?? "")}</span></summary>
    ${contents.map(([media, { schema }]) => html`<div key=${media}><p class="muted media">${media} <code>${typeOf(document, schema ?? {})}</code></p>${media === "application/json" || contents.length === 1 ? html`<${Schema} document=${document} schema=${schema ?? {}} />` : html`<details><summary>Lines of the stream</summary><${Schema} document=${document} schema=${schema ?? {}} /></details>`}</div>`)}
    ${headers.length > 0 && html`<details class="headers"><summary>${headers.length} headers: ${headers.map(([name]) => name).join(", ")}</summary><dl>${headers.map(([name, one]) => html`<div key=${name}><dt><code>${name}</code></dt><dd>${marked(resolved(document, one).description ?? "")}</dd></div>`)}</dl></details>`}
    ${isFirst && response.headers?.["Part-Status"] && html`<${PartStatus} />`}
  </details>`;
}

/** What the header Part-Status of composed responses says. */
function PartStatus() {
  return html`<details class="headers"><summary><code>Part-Status</code>: how each part of the screen ended</summary>
    <pre tabindex="0" role="region" aria-label="Example of Part-Status"><code>Part-Status: profile=ok, deals=fallback;reason=timeout, picks=stale;age=23</code></pre>
    <dl>${STATES.map(([state, text]) => html`<div key=${state}><dt><${Shape} state=${state} /> ${state}</dt><dd>${text}</dd></div>`)}</dl>
    <p class="ink2">The response is 200 as long as all critical parts have a value. With <code>?_meta=parts</code> the same is in the body.</p></details>`;
}
