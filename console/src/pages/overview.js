// Overview: is a screen suffering, since when, because of what?
import { useEffect, useState } from "preact/hooks";
import { Card, Headline, Tabs } from "../components/card.js";
import { Area, Sparkline, useWidth } from "../components/charts.js";
import { Frame, GatewayPick } from "../components/frame.js";
import { ABOUT } from "../components/key-list.js";
import { Pick } from "../components/pick.js";
import { Loaded } from "../components/panels.js";
import { Badge, Dot } from "../components/state.js";
import { count, duration, minute, number, time } from "../format.js";
import { marked, plain } from "../marked.js";
import { html } from "../html.js";
import { onNews, overview, setOverview } from "../live-stream.js";
import { useResource } from "../resource.js";
import { hrefOf, query, setQuery } from "../router.js";
import { chosenRows } from "./overview/chosen.js";
import { LEAST_WIDTH } from "./overview/layout.js";
import { DependencyMap } from "./overview/map.js";
import { DependencyTables } from "./overview/tables.js";

const EVENTS = 6;
const EVERY = 2; // seconds between two overviews over another window
const MOST_EVENTS = 200;

/** The requests behind each figure. */
const BEHIND = { Requests: {}, Complete: { state: "degraded" }, Errors: { state: "failed" }, "Latency p95": { slow: "1" } };

export function Page() {
  const live = overview.value;
  const wanted = query.value.get("window") ?? "";
  const isOther = wanted !== "" && Number(wanted) !== live?.window; // the stream has the usual window
  const resource = useResource(isOther || !live ? "overview" : null, { window: wanted }, { every: isOther ? EVERY : 0 });
  useEffect(() => void (resource.data && !isOther && setOverview(resource.data)), [resource.data]);
  const now = isOther ? resource.data : live;
  const filters = html`<${GatewayPick} />${live && html`<${WindowPick} windows=${live.windows} usual=${live.window} />`}`;
  return html`<${Frame} title="Overview" filters=${filters} note=${now ? noteOf(now) : ""} class="overview">
    ${now ? html`<${Content} all=${now} />` : html`<${Loaded} resource=${resource} what="the overview" rows=${12}>${() => null}<//>`}
  <//>`;
}

function WindowPick({ windows, usual }) {
  const options = windows.map((length) => [length === usual ? "" : String(length), `Last ${span(length)}`]);
  return html`<${Pick} label="Time" options=${options} value=${query.value.get("window") ?? ""} onChange=${(window) => setQuery({ window })} />`;
}

/** Says so where less is recorded than the window is long. */
function noteOf({ window, recorded }) {
  return recorded < window - 1 ? `recorded: ${span(recorded)}` : "";
}

function span(seconds) {
  return seconds < 120 ? `${Math.round(seconds)} s` : duration(seconds);
}

function Content({ all }) {
  const gateway = query.value.get("gateway") ?? "";
  const now = gateway ? ofGateway(all, gateway) : all;
  return html`${!hasRequests(all) && html`<p class="muted about">${ABOUT}</p>`}<${Headline} headline=${all.headline} />
    <${Figures} figures=${all.figures} />
    <${Dependencies} now=${now} />
    <div class="two"><${ResponsesCard} now=${all} /><${Events} events=${now.events} /></div>`;
}

function hasRequests({ figures }) {
  return figures.some(({ name, value }) => name === "Requests" && value);
}

function ofGateway(all, name) {
  const edges = all.edges.filter((edge) => edge.source === name || edge.target === name);
  const used = new Set(edges.map((edge) => edge.target));
  const isHere = ({ gateway }) => gateway === name;
  const upstreams = all.upstreams.filter(({ upstream }) => used.has(upstream));
  return { ...all, edges, upstreams, screens: all.screens.filter(isHere), gateways: all.gateways.filter(isHere) };
}

function Figures({ figures }) {
  return html`<dl class="kpi">${figures.map((figure) => html`<div key=${figure.name}><dt>${figureName(figure)}</dt>
    <dd><span><b>${figureText(figure)}</b> ${figure.value === null ? "" : figure.unit}</span>
      <${Sparkline} values=${figure.course} tone=${figure.state === "ok" ? "work" : figure.state} isFilled /></dd></div>`)}</dl>`;
}

function figureName({ name }) {
  const behind = BEHIND[name];
  return behind ? html`<a href=${hrefOf("requests", { query: { ...behind, gateway: query.value.get("gateway") } })}>${name}</a>` : name;
}

function figureText({ value, unit }) {
  return unit === "%" && value < 100 && value > 99.9 ? "99.9" : number(value); // never 100 if something is left
}

function Dependencies({ now }) {
  const [element, width] = useWidth(LEAST_WIDTH);
  const isNarrow = width < LEAST_WIDTH;
  const view = isNarrow || query.value.get("view") === "table" ? "table" : "map";
  const choose = (name) => setQuery({ view: name === "table" && "table" });
  const tabs = !isNarrow && html`<${Tabs} label="View" panel="dependencies" items=${[["map", "Map"], ["table", "Table"]]} chosen=${view} choose=${choose} />`;
  const note = view === "map" ? "line width: calls per second · highlighted: from a degraded screen to its cause" : "";
  const isWhole = query.value.get("all") === "1";
  const hasRest = isWhole || chosenRows(now.screens, now.gateways, false).rests.length > 0;
  const word = isWhole ? "Fewer rows" : `All ${count(now.screens.length, "row")}`;
  const more = hasRest && html`<button type="button" class="link" onClick=${() => setQuery({ all: !isWhole && "1" })}>${word}</button>`;
  return html`<div ref=${element}><${Card} title="Dependencies" note=${note} end=${html`${more}${tabs}`}>
    <div id="dependencies" role=${isNarrow ? undefined : "tabpanel"} aria-label="Dependencies">
      ${view === "map"
        ? html`<${DependencyMap} now=${now} width=${width - 2} isWhole=${isWhole} />`
        : html`<${DependencyTables} now=${now} isWhole=${isWhole} />`}
    </div><//></div>`;
}

function ResponsesCard({ now }) {
  const legend = html`<${Badge} state="ok" /><${Badge} state="stale" /><${Badge} state="fallback" word="degraded" /><${Badge} state="failed" />`;
  return html`<${Card} title="Responses per second" end=${legend}><div class="pad">
    <${Area} responses=${now.responses} events=${linesOf(now)} finding=${findingOf(now)} /></div><//>`;
}

/** The lines of the chart: what people changed in the window, else its first trouble. */
function linesOf({ events, responses }) {
  const inside = events.filter((event) => event.time >= responses.start).reverse();
  const changed = inside.filter((event) => event.actor);
  const lines = changed.length ? changed : inside.filter((event) => event.state !== "ok").slice(0, 1);
  return lines.map((event) => ({ time: event.time, text: plain(event.text) }));
}

function findingOf({ responses, window, recorded, screens }) {
  const last = (name) => responses[name].at(-1) ?? 0;
  const total = last("ok") + last("stale") + last("degraded") + last("failed");
  const sinces = screens.map((screen) => screen.since).filter((since) => since !== null && since !== undefined);
  const since = sinces.length ? ` since ${minute(Math.min(...sinces))}` : "";
  const share = total ? last("degraded") / total : 0;
  const what = share > 0 ? `${Math.round(share * 100)} % are degraded${since}` : "none are degraded";
  return `Responses per second by state over ${span(Math.min(window, recorded))}; ${what}`;
}

function Events({ events }) {
  const [isWhole, showWhole] = useState(false);
  const [news, add] = useState([]);
  const take = ({ events: fresh }) => fresh.length && add((old) => [...fresh].reverse().concat(old).slice(0, MOST_EVENTS));
  useEffect(() => onNews(take), []);
  const all = [...new Map([...news, ...events].map((event) => [event.id, event])).values()].sort((one, other) => other.time - one.time);
  const shown = isWhole ? all : all.slice(0, EVENTS);
  const word = isWhole ? "Newest events" : `All ${all.length} events`;
  const more = all.length > EVENTS && html`<button type="button" class="link" onClick=${() => showWhole(!isWhole)}>${word}</button>`;
  return html`<${Card} title="Events" end=${more} class="events"><table><caption class="sr">Events, newest first</caption>
    <colgroup><col class="when" /><col class="dot" /><col class="who" /><col /></colgroup>
    <thead class="sr"><tr><th>time</th><th>state</th><th>by</th><th>what</th></tr></thead>
    <tbody>${shown.map((event) => html`<tr key=${event.id}>
      <td class="muted">${time(event.time)}</td><td><${Dot} state=${event.state} /></td><td class="muted">${event.actor || event.subject}</td>
      <td class="ev" title=${plain(event.text)}>${marked(event.text)}</td></tr>`)}</tbody></table>
    ${!all.length && html`<p class="pad muted">No events yet. Reloads, breakers that open and what operators do appear here.</p>`}<//>`;
}
