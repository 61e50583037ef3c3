// The routes without code of a gateway: what they match, where requests go, who may use them.
import { useState } from "preact/hooks";
import { Empty, Loaded } from "../../components/panels.js";
import { Table } from "../../components/table.js";
import { html } from "../../html.js";
import { useResource } from "../../resource.js";
import { hrefOf } from "../../router.js";
import { found, matchOf, placeOf, shareOf } from "./proxied-words.js";

const POLL = 10; // seconds: a file of routes is read again while the gateway runs

export function Proxied({ gateway }) {
  const resource = useResource(`gateways/${encodeURIComponent(gateway.name)}/proxy`, {}, { every: POLL });
  return html`<${Loaded} resource=${resource} what=${`the proxied routes of ${gateway.name}`} rows=${6}>
    ${(routes) => html`<${Routes} gateway=${gateway} routes=${routes} />`}<//>`;
}

function Routes({ gateway, routes }) {
  const [text, filter] = useState("");
  const shown = found(routes, text);
  const columns = [
    { title: "Route", cell: (one) => html`<a href=${hrefOf("requests", { query: { gateway: gateway.name, route: one.id } })}>${one.id}</a>`, note: "Its requests" },
    { title: "Match", cell: (one) => html`<code>${matchOf(one)}</code>${one.conditions.map((words) => html`<div class="muted" key=${words}>${words}</div>`)}` },
    { title: "Goes to", cell: destinationOf },
    { title: "Access", cell: ({ access }) => access },
    { title: "Where", cell: (one) => html`<code title=${one.place}>${placeOf(one)}</code>` },
    { title: "Options", class: "wrap", cell: ({ options }) => html`<span class="muted">${options.join(" · ")}</span>` },
  ];
  return html`<section class="card proxied" aria-label="Proxied routes">
    <header><input type="search" placeholder="Filter routes" aria-label="Filter proxied routes" value=${text} onInput=${(event) => filter(event.target.value)} /></header>
    ${shown.length ? html`<${Table} caption=${`The proxied routes of ${gateway.name}`} columns=${columns} rows=${shown} keyOf=${({ id }) => id} />` : html`<${Empty} title="No such route" text=${text ? `No proxied route contains “${text}”.` : `${gateway.name} has no proxied routes.`} />`}
  </section>`;
}

function destinationOf({ targets, files }) {
  if (files) return html`files in <code>${files}</code>`;
  return targets.map((one) => html`<div key=${`${one.kind} ${one.upstream}`}><a href=${hrefOf("upstreams", { subject: one.upstream })}>${one.upstream}</a>${shareOf(one) && html` <span class="muted">${shareOf(one)}</span>`}</div>`);
}
