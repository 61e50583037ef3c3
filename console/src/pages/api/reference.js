// The reference of a REST gateway: routes, one operation in full, and the form that sends it.
import { useState } from "preact/hooks";
import { Empty } from "../../components/panels.js";
import { html } from "../../html.js";
import { useKeys } from "../../keys.js";
import { go, hrefOf, query } from "../../router.js";
import { operationsOf } from "./document.js";
import { Method } from "./method.js";
import { Operation } from "./operation.js";
import { Try } from "./try.js";

export function Reference({ gateway, document }) {
  const operations = operationsOf(document);
  const [text, filter] = useState("");
  const shown = operations.filter((one) => `${one.method} ${one.path} ${one.id} ${one.title}`.toLowerCase().includes(text.toLowerCase()));
  const operation = operations.find(({ id }) => id === query.value.get("op")) ?? operations[0];
  const move = (step) => () => {
    const next = shown[shown.indexOf(operation) + step];
    if (next) go(addressOf(gateway, next), { replace: true });
  };
  useKeys({ j: move(1), k: move(-1), f: () => globalThis.document.getElementById("route-filter")?.focus() });
  if (!operation) return html`<section class="card"><${Empty} title="No routes yet" text=${`${gateway.name} has no REST view.`}><pre class="sample"><code>bff add view home --gateway ${gateway.name}</code></pre><//></section>`;
  return html`<div class="ref">
    <section class="card routes" aria-label="Routes"><header><input id="route-filter" type="search" placeholder="Filter routes" aria-label="Filter routes" value=${text} onInput=${(event) => filter(event.target.value)} /></header>
      <div class="list">${groupsOf(shown).map(([tag, rows]) => html`<h2 key=${tag}>${tag}</h2><ul>${rows.map((one) => html`<li key=${one.id}><a href=${addressOf(gateway, one)} aria-current=${one === operation ? "true" : undefined}><${Method} name=${one.method} /><code>${one.path}</code></a></li>`)}</ul>`)}
        ${!shown.length && html`<p class="muted leaf">No route contains “${text}”.</p>`}</div></section>
    <${Operation} key=${operation.id} document=${document} operation=${operation} />
    <${Try} key=${`try ${operation.id}`} gateway=${gateway} document=${document} operation=${operation} />
  </div>`;
}

function addressOf(gateway, { id }) {
  return hrefOf("api", { query: { gateway: gateway.name, kind: gateway.graphql ? "rest" : "", op: id } });
}

function groupsOf(operations) {
  const groups = new Map();
  for (const one of operations) groups.set(one.tag, [...(groups.get(one.tag) ?? []), one]);
  return [...groups];
}
