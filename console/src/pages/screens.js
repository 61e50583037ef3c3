// Screens: what a screen is made of, what happens without a service, what each client gets.
import { useState } from "preact/hooks";
import { post } from "../api.js";
import { Card, Headline } from "../components/card.js";
import { Frame } from "../components/frame.js";
import { Empty, ErrorPanel, Loaded } from "../components/panels.js";
import { Pick } from "../components/pick.js";
import { Badge } from "../components/state.js";
import { html } from "../html.js";
import { useKeys } from "../keys.js";
import { partColours } from "../part-colours.js";
import { go, hrefOf, query, setQuery, subject } from "../router.js";
import { useResource } from "../resource.js";
import { Clients } from "./screens/clients.js";
import { Matrix } from "./screens/matrix.js";
import { Plan } from "./screens/plan.js";

const EVERY = 10; // seconds between two looks: each one requests the screen for every client

export function Page() {
  const names = useResource("screens");
  const name = subject.value || names.data?.[0]?.screen || "";
  return html`<${Frame} title="Screens" class="screens" filters=${html`<${Filters} names=${names.data ?? []} name=${name} />`}>
    <${Loaded} resource=${names} what="the list of screens">
      ${() => (name ? html`<${Screen} key=${name} name=${name} names=${names.data} />` : html`<${NoScreens} />`)}
    <//>
  <//>`;
}

function NoScreens() {
  return html`<section class="card"><${Empty} title="No screens yet" text="Screens appear here when a gateway serves a composition.">
    <pre class="sample"><code>bff add screen home --gateway web</code></pre><//></section>`;
}

function Filters({ names, name }) {
  const viewer = query.value.get("viewer") ?? "";
  const views = names.find(({ screen }) => screen === name)?.views ?? [];
  return html`<${Pick} label="Screen" options=${names.map(({ screen }) => [screen, screen])} value=${name} onChange=${(next) => go(hrefOf("screens", { subject: next, query: { viewer } }))} />
    <form class="viewer" onSubmit=${(event) => (event.preventDefault(), setQuery({ viewer: event.target.viewer.value.trim() }))}>
      <label>viewer <input name="viewer" value=${viewer} placeholder="user 1" size="9" autocomplete="off" onBlur=${(event) => setQuery({ viewer: event.target.value.trim() })} /></label>
    </form>
    ${inputsOf(views).map((one) => html`<form class="viewer" key=${one} onSubmit=${(event) => (event.preventDefault(), setQuery({ [one]: event.target[one].value.trim() }))}>
      <label>${one} <input name=${one} value=${query.value.get(one) ?? ""} placeholder="any" size="6" autocomplete="off" onBlur=${(event) => setQuery({ [one]: event.target.value.trim() })} /></label></form>`)}`;
}

/** What a screen needs to know, from the paths of its routes: "product_id". */
function inputsOf(views) {
  return [...new Set(views.filter(([, route]) => route.startsWith("GET ")).flatMap(([, route]) => [...route.matchAll(/\{([^}:]+)/g)].map(([, name]) => name)))];
}

function pathOf(name, action, inputs) {
  const search = new URLSearchParams(inputs);
  return `screens/${encodeURIComponent(name)}/${action}${search.size ? `?${search}` : ""}`;
}

function Screen({ name, names }) {
  const inputs = Object.fromEntries(query.value);
  const [probe, change] = useState({ running: "", problem: null });
  const [experiment, show] = useState(null);
  const [computed, compute] = useState(null);
  const screen = useResource(`screens/${encodeURIComponent(name)}`, inputs, { every: experiment ? 0 : EVERY });
  const run = async (action, body, done) => {
    change({ running: action, problem: null });
    try {
      done(await post(pathOf(name, action, inputs), body));
      change({ running: "", problem: null });
    } catch (problem) {
      change({ running: "", problem });
    }
  };
  const breakThese = (broken) => (broken.length ? run("break", { broken }, show) : show(null));
  useKeys({ Escape: () => (experiment ? show(null) : false) });
  return html`<${Loaded} resource=${screen} what=${`the screen ${name}`} rows=${12}>
    ${(data) => html`<${Detail} data=${experiment ?? data} base=${withMatrix(data, computed)} colourOf=${partColours(names, name, data.plan.map(({ part }) => part))} probe=${probe} breakThese=${breakThese}
      computeMatrix=${() => run("matrix", {}, (found) => (screen.set(found), compute(found), show(null)))} viewer=${inputs.viewer ?? ""} />`}
  <//>`;
}

/** A screen that was loaded again, with the matrix that was computed for the same clients. */
function withMatrix(data, computed) {
  const routes = ({ clients }) => clients.map(({ gateway, route }) => `${gateway} ${route}`).join();
  if (data.has_matrix || computed === null || routes(data) !== routes(computed)) return data;
  return { ...data, has_matrix: true, matrix: computed.matrix };
}

function Detail({ data, base, colourOf, probe, breakThese, computeMatrix, viewer }) {
  const broken = data.broken;
  const isFact = !broken.length && ["ok", "fallback", "stale"].includes(data.headline.state);
  return html`<${Headline} headline=${data.headline} isFact=${isFact} />
    ${broken.length > 0 && html`<${Experiment} broken=${broken} breakThese=${breakThese} />`}
    ${probe.problem && html`<section class="card gap"><${ErrorPanel} problem=${probe.problem} /></section>`}
    <div class=${`row1 ${isDeep(data.plan) || !base.clients.length ? "deep" : ""}`}>
      <${Plan} screen=${data.screen} plan=${data.plan} colourOf=${colourOf} broken=${broken} explain=${data.explain} />
      ${base.clients.length > 0 && html`<${Card} title="If a service fails" end="click a service to break it here">
        <${Matrix} data=${data} base=${base} probe=${probe} breakThese=${breakThese} computeMatrix=${computeMatrix} /><//>`}
    </div>
    <${Clients} data=${data} base=${base} viewer=${viewer} colourOf=${colourOf} />`;
}

/** Whether a plan is too wide to stand beside the matrix. */
function isDeep(plan) {
  return plan.some(({ column }) => column >= 3);
}

/** What is broken in this page only, and how to end it. */
function Experiment({ broken, breakThese }) {
  const words = broken.length === 1 ? `${broken[0]} fails` : `${broken.join(", ")} fail`;
  return html`<div class="experiment" role="status"><${Badge} state="fallback" word="trial" /><span>In this page <b>${words}</b>: the screen was requested again without caches. Clients are not affected.</span>
    <button type="button" class="btn" onClick=${() => breakThese([])}>End the trial <kbd>esc</kbd></button></div>`;
}
