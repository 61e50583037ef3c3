// One service: layers with policy and state, latency, failures, actions, screens that need it.
import { useState } from "preact/hooks";
import { Card } from "../../components/card.js";
import { Pick } from "../../components/pick.js";
import { Dot } from "../../components/state.js";
import { count, number, percent } from "../../format.js";
import { html } from "../../html.js";
import { hrefOf } from "../../router.js";
import { Actions } from "./actions.js";
import { Failures, Latency } from "./charts.js";
import { processOptions } from "./processes.js";

export function Detail({ data, reload }) {
  const calls = data.buckets.reduce((sum, bucket) => sum + bucket.calls, 0);
  return html`<div class="three">
    <${Layers} data=${data} />
    <section class="card" aria-label="Latency and failures"><header><h2>Latency</h2><span class="end">${count(calls, "call")} in 5 minutes</span></header>
      <div class="pad"><${Latency} buckets=${data.buckets} timeouts=${data.timeouts} /></div>
      <header class="h2b"><h2>Failed calls</h2>${data.row?.window > 0 && html`<span class="end">${number(data.row.failed)} of the last ${count(data.row.window, "call")}</span>`}</header>
      <div class="pad"><${Failures} failures=${data.failures} opensAt=${data.opens_at} /></div></section>
    <section class="card" aria-label="Actions and screens"><${Actions} data=${data} reload=${reload} />
      <header class="h2b"><h2>Screens that need it</h2></header><${Screens} screens=${data.screens} /></section>
  </div>`;
}

/** The layers of a call from the outside in, in the process that the reader chooses. */
function Layers({ data }) {
  const [chosen, choose] = useState("");
  const process = data.processes.find((one) => `${one.gateway} ${one.pid}` === chosen);
  const layers = process?.layers ?? data.layers;
  const options = processOptions(data);
  return html`<${Card} title=${`${data.upstream}: layers of a call`} class="layers" end=${data.processes.length > 1 ? html`<${Pick} label="Process" options=${options} value=${chosen} onChange=${choose} />` : options[0][1]}>
    <ol class="stk">${layers.map((layer) => html`<li key=${layer.layer} class=${`${layer.state === "ok" ? "" : `w-${layer.state}`} ${layer.is_on ? "" : "off"}`}>
      <b>${layer.layer}</b><span class="policy"><span title=${layer.policy}>${layer.policy}</span>${isOwn(layer) && html`<i>${layer.source}</i>`}</span>
      <em>${layer.state !== "ok" && html`<${Dot} state=${layer.state} />`}${layer.now}</em></li>`)}</ol><//>`;
}

/** Whether the policy was written for this service: in the code, or in the policy file. */
function isOwn({ source, is_on: isOn }) {
  return isOn && (source === "code" || source === "file");
}

function Screens({ screens }) {
  if (!screens.length) return html`<p class="need muted">No screen has needed it in the last 5 minutes.</p>`;
  return html`<ul class="need">${screens.map((one) => html`<li key=${`${one.gateway} ${one.screen} ${one.route}`}><${Dot} state=${one.complete === null ? "missing" : one.state} label=${one.complete === null ? "no requests" : one.state} />
    <a href=${hrefOf("screens", { subject: one.screen })}>${one.gateway} ${one.screen}</a>${repeated(screens, one) && html`<code title=${one.route}>${one.route}</code>`}${one.complete === null ? html`<span class="muted">no requests</span>` : html`<span>${percent(one.complete)}<span class="sr"> complete</span></span>`}</li>`)}</ul>`;
}

/** Whether a gateway serves the screen on several routes. */
function repeated(screens, { gateway, screen }) {
  return screens.filter((one) => one.gateway === gateway && one.screen === screen).length > 1;
}
