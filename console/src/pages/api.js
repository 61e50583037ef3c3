// API: the reference of each gateway, a form that sends requests, an explorer for GraphQL, and routes without code.
import { useEffect, useState } from "preact/hooks";
import { Frame } from "../components/frame.js";
import { Empty, ErrorPanel, Loaded, Loading, NO_SCRIPT } from "../components/panels.js";
import { Chips, Pick } from "../components/pick.js";
import { html } from "../html.js";
import { installation } from "../live-stream.js";
import { query, setQuery } from "../router.js";
import { isAnswering } from "./api/answering.js";
import { useContract } from "./api/contract.js";
import { Proxied } from "./api/proxied.js";
import { Reference } from "./api/reference.js";

/** The kinds of API of a gateway, the one that it is made for first. */
function kindsOf(gateway) {
  return [gateway.graphql && ["graphql", "GraphQL"], gateway.has_openapi && ["rest", "REST"], gateway.has_proxy && ["proxy", "Proxied"]].filter(Boolean);
}

const known = new Map(); // what is known of each gateway from when it last answered

/** The gateways with an API, and those that do not answer, as they were when they last did. */
function gatewaysNow() {
  for (const one of installation.value?.gateways ?? []) if (isAnswering(one)) known.set(one.name, one);
  return (installation.value?.gateways ?? [])
    .map((one) => (isAnswering(one) ? one : { ...known.get(one.name), name: one.name, health: one.health }))
    .filter((one) => kindsOf(one).length || !isAnswering(one));
}

// The gateway is in the query: below /console/api/ is the API of the console itself.
export function Page() {
  const gateways = gatewaysNow();
  const named = query.value.get("gateway");
  const gateway = gateways.find(({ name }) => (named ? name === named : true));
  const kinds = gateway ? kindsOf(gateway) : [];
  const kind = kinds.find(([name]) => name === query.value.get("kind"))?.[0] ?? kinds[0]?.[0];
  const names = gateways.map(({ name }) => [name, name]);
  const filters = gateways.length > 0 && html`
    <${Pick} label="Gateway" options=${names} value=${gateway?.name ?? ""} onChange=${(name) => setQuery({ gateway: name, kind: "", op: "" })} />
    ${kinds.length > 1 && html`<${Chips} label="Kind of API" options=${kinds} value=${kind} onChange=${(name) => setQuery({ kind: name, op: "" })} />`}`;
  return html`<${Frame} title="API" class="api ${kind ?? ""}" filters=${filters} note=${gateway?.url ?? ""}>${contentOf(gateway, kind)}<//>`;
}

function contentOf(gateway, kind) {
  if (!installation.value) return html`<${Loading} what="the gateways" />`;
  if (!gateway) {
    return html`<section class="card"><${Empty} title="No API yet" text="The routes of gateways appear here.">
      <pre class="sample"><code>bff new gateway mobile</code></pre><//></section>`;
  }
  if (!kind) return html`<${Silent} gateway=${gateway} />`;
  if (kind === "proxy") return html`<${Proxied} key=${gateway.name} gateway=${gateway} />`;
  return kind === "rest" ? html`<${Rest} key=${gateway.name} gateway=${gateway} />` : html`<${GraphQL} key=${gateway.name} gateway=${gateway} />`;
}

function Silent({ gateway }) {
  return html`<section class="card"><${Empty} title=${`${gateway.name} does not answer`} text="Its API appears here when it does." /></section>`;
}

function Rest({ gateway }) {
  const contract = useContract(gateway, "openapi.json");
  if (contract.data === null && !isAnswering(gateway)) return html`<${Silent} gateway=${gateway} />`;
  return html`<${Loaded} resource=${contract} what=${`the OpenAPI document of ${gateway.name}`} rows=${12}>
    ${(document) => html`<${Reference} gateway=${gateway} document=${document} />`}<//>`;
}

/** The explorer is a script of its own, with the editor in it. */
function GraphQL({ gateway }) {
  const contract = useContract(gateway, "schema.graphql");
  const [{ Explorer, problem }, load] = useState({ Explorer: null, problem: null });
  const fetchScript = () => import("./api/explorer.js").then(
    (script) => load({ Explorer: script.Explorer, problem: null }),
    () => load({ Explorer: null, problem: NO_SCRIPT }),
  );
  useEffect(() => void fetchScript(), []);
  if (contract.data === null && !isAnswering(gateway)) return html`<${Silent} gateway=${gateway} />`;
  if (problem) return html`<section class="card"><${ErrorPanel} problem=${problem} what="the GraphQL explorer" retry=${fetchScript} /></section>`;
  const show = (sdl) => (Explorer ? html`<${Explorer} gateway=${gateway} sdl=${sdl} />` : html`<${Loading} what="the GraphQL explorer" />`);
  return html`<${Loaded} resource=${contract} what=${`the schema of ${gateway.name}`} rows=${12}>${show}<//>`;
}
