// The frame of every page: navigation, top bar, main.
import { useEffect } from "preact/hooks";
import { post } from "../api.js";
import { count, number, timeOfDay } from "../format.js";
import { html } from "../html.js";
import { brokenSince, connect, installation, newFailures, offeredPages, retryIn, status, togglePause } from "../live-stream.js";
import { hrefOf, page, query, ROOT, setQuery } from "../router.js";
import { Find } from "./find.js";
import { Icon } from "./icons.js";
import { Pick } from "./pick.js";

/** The navigation at the left; pages that need `bff dev` are left out elsewhere. */
export function Nav() {
  const info = installation.value;
  const shown = offeredPages();
  const links = (group) => shown.filter(([, about]) => about.group === group).map(([name, about]) => html`<${PageLink} key=${name} name=${name} about=${about} />`);
  return html`<nav class="nav" aria-label="Console">
    <div class="brand"><${Icon} name="logo" size=${20} /><b>bff</b> <span>console</span></div>
    ${links("Observe")}<h2>Work</h2>${links("Work")}
    ${info && html`<${Foot} info=${info} />`}
  </nav>`;
}

/** A page of the navigation, with its key, or the count of requests that failed since Requests was open. */
function PageLink({ name, about }) {
  const failures = name === "requests" ? newFailures.value : 0;
  const end = failures
    ? html`<b class="count" title="failed since Requests was open">${number(failures)} failed</b>`
    : html`<kbd aria-hidden="true">g ${about.key}</kbd>`;
  return html`<a href=${hrefOf(name)} title=${about.title} aria-current=${page.value === name ? "page" : undefined}>
    <${Icon} name=${name} /><span>${about.title}</span>${end}</a>`;
}

async function signOut() {
  await post("logout").catch(() => undefined); // without a session the page below is the form, too
  location.assign(ROOT);
}

function Foot({ info }) {
  const [all, kind] = info.processes.length ? [info.processes, "processes"] : [info.gateways, "gateways"];
  const running = all.filter(({ state, health }) => (kind === "processes" ? state === "running" : health !== "stopped"));
  return html`<div class="foot"><span><b>${running.length} of ${all.length}</b> ${kind} running</span>
    <span>${info.is_development ? "development" : "production"} · bff-core ${info.version}</span>
    ${info.can_sign_out && html`<span><button type="button" onClick=${signOut}>Sign out</button></span>`}
    ${info.shop && html`<span><a href=${info.shop} target="_blank" rel="noreferrer">Open the shop</a></span>`}</div>`;
}

/**
 * A page: `title` is its h1, `filters` stand beside it, `note` is muted text after them.
 *
 * Children are the content of main. `class` is a class of main, for the page's own layout.
 */
export function Frame({ title, filters = null, note = "", class: kind = "", children }) {
  useEffect(() => {
    document.title = `${title} · bff console`;
  }, [title]);
  return html`<header class="top"><h1>${title}</h1>${filters}${note && html`<span class="muted note">${note}</span>`}<span class="grow"></span>
      <${LiveState} /><${Find} /></header>
    <main class="main ${kind} ${status.value === "off" ? "old" : ""}" id="main" tabindex="-1">
      <${Disconnected} /><${SilentWorkers} />${children}</main>`;
}

function LiveState() {
  const now = status.value;
  if (now === "off") return html`<span class="live off">Not live</span>`;
  return html`<span class="live ${now}">${now === "live" ? "Live" : "Paused"}</span>
    <button type="button" class="btn pause" onClick=${togglePause}>${now === "live" ? "Pause" : "Go on"} <kbd>space</kbd></button>`;
}

/** The bar that says since when the page is not live; figures stay, muted. */
function Disconnected() {
  if (status.value !== "off") return null;
  return html`<div class="answer off" role="status"><${Icon} name="missing" />
    <span><b>Not live since ${timeOfDay(brokenSince.value)}.</b> Retrying in ${retryIn.value} s.</span>
    <span class="more"><button type="button" class="btn" onClick=${connect}>Retry now</button></span></div>`;
}

/** The bar that names processes whose figures the page lacks, since they do not answer. */
function SilentWorkers() {
  const silent = (installation.value?.gateways ?? []).flatMap(({ name, silent = [] }) => silent.map((one) => ({ ...one, name })));
  if (!silent.length || status.value === "off") return null;
  const names = silent.slice(0, 3).map(({ name, pid, since }) => `${name} worker ${pid} since ${timeOfDay(since)}`);
  const rest = silent.length > 3 ? ` and ${silent.length - 3} more` : "";
  const cause = "Stopped, or blocked by code that does not await";
  const what = `${names.join(", ")}${rest}. ${cause}; figures here are without ${silent.length === 1 ? "it" : "them"}.`;
  return html`<div class="answer off" role="status"><${Icon} name="missing" />
    <span><b>${count(silent.length, "process does", "processes do")} not answer:</b> ${what}</span></div>`;
}

/** The filter by gateway that pages share; its state is `?gateway=` of the address. */
export function GatewayPick() {
  const names = (installation.value?.gateways ?? []).map((gateway) => [gateway.name, gateway.name]);
  const options = [["", "All gateways"], ...names];
  return html`<${Pick} label="Gateway" options=${options} value=${query.value.get("gateway") ?? ""} onChange=${(gateway) => setQuery({ gateway })} />`;
}
