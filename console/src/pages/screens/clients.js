// The same screen side by side, as each client gets it.
import { Icon } from "../../components/icons.js";
import { Empty } from "../../components/panels.js";
import { Dot } from "../../components/state.js";
import { bytes, count, duration } from "../../format.js";
import { html } from "../../html.js";
import { partClass } from "../../part-colours.js";

const WORDS = { web: ["web", "web"], browser: ["web", "web"], mobile: ["phone", "mobile"], phone: ["phone", "mobile"], ios: ["iOS", "mobile"], android: ["Android", "mobile"], desktop: ["back office", "desktop"] };

/** How a client is called here: its word and its icon. */
export function clientOf({ client, gateway }) {
  const [word, icon] = WORDS[client] ?? WORDS[gateway] ?? [gateway, "gateway"];
  return { word, icon, title: word[0].toUpperCase() + word.slice(1) };
}

export function Clients({ data, base, viewer, colourOf }) {
  const { plan, clients, writes = [] } = data;
  if (!clients.length) return html`<section class="card gap"><${Empty} title="No client reads this screen" text="Its requests may change something, so this page does not send them. The API page can."><${Writes} writes=${writes} /><//></section>`;
  return html`<section class="card sbs" aria-label="The same screen, client by client"><div class="scroll"><table>
    <caption class="sr">Parts of ${data.screen} in each client's response, with their bytes</caption>
    <thead><tr><th scope="col" class="first">Response parts,<br />user ${viewer || "1"}</th>${clients.map((client) => html`<th scope="col"><${Client} client=${client} plan=${plan} colourOf=${colourOf} before=${sizeBefore(base, client)} /></th>`)}</tr></thead>
    <tbody>${plan.map(({ part }) => html`<tr key=${part}><th scope="row"><i class="swatch ${partClass(colourOf(part))}"></i>${part}</th>
      ${clients.map((client) => html`<${PartCell} client=${client} part=${part} colour=${colourOf(part)} />`)}</tr>`)}</tbody>
  </table></div>${writes.length > 0 && html`<p class="writes">Not sent here, since they may change something: <${Writes} writes=${writes} /></p>`}</section>`;
}

/** The requests that build the screen and may change something. */
function Writes({ writes }) {
  return html`<ul class="wr">${writes.map(([gateway, route]) => html`<li key=${`${gateway} ${route}`}>${gateway} <code>${route}</code></li>`)}</ul>`;
}

/** The size without the trial, if it differs. */
function sizeBefore(base, client) {
  const found = base.clients.find((one) => one.gateway === client.gateway && one.route === client.route);
  return found && found !== client && found.size !== client.size ? found.size : null;
}

function Client({ client, plan, colourOf, before }) {
  const { title, icon } = clientOf(client);
  const hasFailed = client.state === "failed" || client.status >= 400;
  return html`<span class="cl"><${Icon} name=${icon} size=${17} /><b>${title}</b><code>${client.route}</code><span class="grow"></span>
      ${hasFailed && html`<${Dot} state="failed" size=${14} />`}<b class="sz ${hasFailed ? "t-failed" : ""}">${hasFailed && client.status >= 400 ? client.status : bytes(client.size)}</b></span>
    <span class="fx">${[factsOf(client, before), client.note].filter(Boolean).join(" · ")}</span>
    <${PartBytes} client=${client} plan=${plan} colourOf=${colourOf} />`;
}

function factsOf({ calls, received, p95 }, before) {
  const facts = [calls === null ? "" : count(calls, "call"), received === null ? "" : `services sent ${bytes(received).replace(/\.0 /, " ")}`, p95 === null ? "" : `p95 ${duration(p95)}`, before === null ? "" : `was ${bytes(before)}`];
  return facts.filter(Boolean).join(" · ");
}

/** Bytes of the response by part, as one bar. */
function PartBytes({ client, plan, colourOf }) {
  const sent = plan.map(({ part }) => client.parts.find((one) => one.part === part)?.sent ?? 0);
  const total = sent.reduce((sum, one) => sum + one, 0);
  if (!total) return html`<svg class="bytes" width="100%" height="6" aria-hidden="true"><rect width="100%" height="6" rx="2" class="f-wait" opacity=".5" /></svg>`;
  const gap = 0.4;
  const room = 100 - gap * (sent.filter(Boolean).length - 1);
  let x = 0;
  const largest = plan[sent.indexOf(Math.max(...sent))].part;
  return html`<svg class="bytes" viewBox="0 0 100 6" preserveAspectRatio="none" width="100%" height="6" role="img" aria-label=${`Bytes by part: ${largest} is the largest, ${bytes(Math.max(...sent))}`}>
    ${sent.map((size, index) => {
      if (!size) return null;
      const width = (size / total) * room;
      const bar = html`<rect x=${x.toFixed(2)} width=${width.toFixed(2)} height="6" class="f-part ${partClass(colourOf(plan[index].part))}" />`;
      x += width + gap;
      return bar;
    })}</svg>`;
}

function PartCell({ client, part, colour }) {
  const found = client.parts.find((one) => one.part === part);
  if (!found?.outline) return html`<td class="nil">${client.parts.length || client.status ? "not requested" : "no response"}</td>`;
  const isHit = found.state && found.state !== "ok";
  const why = [found.state, found.reason].filter(Boolean).join(": ");
  return html`<td class="j ${partClass(colour)} ${isHit ? `hit h-${found.state}` : ""}"><span class="jl">${isHit && html`<${Dot} state=${found.state} label=${why} />`}<code title=${found.outline}>${found.outline}</code><span class="size">${found.sent === null ? "" : bytes(found.sent)}</span></span></td>`;
}
