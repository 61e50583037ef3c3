// Upstreams: whether the service is to blame, or our policy.
import { Headline } from "../components/card.js";
import { Frame, GatewayPick } from "../components/frame.js";
import { Empty, Loaded } from "../components/panels.js";
import { html } from "../html.js";
import { useKeys } from "../keys.js";
import { status } from "../live-stream.js";
import { go, hrefOf, query, subject } from "../router.js";
import { useResource } from "../resource.js";
import { Detail } from "./upstreams/detail.js";
import { Services, worst } from "./upstreams/services.js";

const EVERY = 2; // seconds between two looks

export function Page() {
  const gateway = query.value.get("gateway") ?? "";
  const every = status.value === "live" ? EVERY : 0;
  const list = useResource("upstreams", { gateway }, { every });
  const name = subject.value || worst(list.data?.rows ?? []);
  const detail = useResource(name ? `upstreams/${encodeURIComponent(name)}` : null, { gateway }, { every });
  useRowKeys(list.data?.rows ?? [], name);
  const reload = () => Promise.all([list.reload(), detail.reload()]);
  return html`<${Frame} title="Upstreams" class="upstreams" filters=${html`<${GatewayPick} />`} note="last 5 minutes">
    <${Loaded} resource=${list} what="the list of services" rows=${10}>${(data) => html`
      <${Headline} headline=${subject.value && detail.data ? detail.data.headline : data.headline} />
      ${data.rows.length ? html`<${Services} rows=${data.rows} chosen=${name} />` : html`<${NoServices} />`}`}
    <//>
    ${name && html`<${Loaded} resource=${detail} what=${`the layers of ${name}`} rows=${10}>
      ${(data) => html`<${Detail} key=${name} data=${data} reload=${reload} />`}<//>`}
  <//>`;
}

function NoServices() {
  const text = "Services appear here when a gateway has called them. Open a screen of a client, or send a request on the API page.";
  return html`<section class="card tb"><${Empty} title="No calls yet" text=${text}>
    <p><a class="btn" href=${hrefOf("api")}>Open the API page</a></p><//></section>`;
}

/** `j` and `k` choose the next and the previous service. */
function useRowKeys(rows, name) {
  const move = (step) => () => {
    const names = rows.map((row) => row.figures.upstream);
    const next = names[names.indexOf(name) + step];
    if (next) go(`${hrefOf("upstreams", { subject: next })}${location.search}`, { replace: true });
  };
  useKeys({ j: move(1), k: move(-1), ArrowDown: move(1), ArrowUp: move(-1) });
}
