// The list of requests: newest first, new ones in place or counted, filters in the address.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { FilterChip, TextFilter } from "../../components/filter.js";
import { clientIcon, Icon } from "../../components/icons.js";
import { Empty, Loaded } from "../../components/panels.js";
import { Chips } from "../../components/pick.js";
import { statusClass, Strip } from "../../components/state.js";
import { useWindow } from "../../components/table.js";
import { bytes, duration, timeOfDay, wholePercent } from "../../format.js";
import { html } from "../../html.js";
import { useKeys } from "../../keys.js";
import { installation, onNews } from "../../live-stream.js";
import { get } from "../../api.js";
import { hrefOf, query, setQuery } from "../../router.js";
import { nameOf } from "./rows.js";

const MOST = 500; // rows held; older ones are loaded again when wanted
const SLOW = 0.5; // seconds, as the gateways count

const FILTERS = ["gateway", "route", "status", "state", "slow", "screens", "text"];

/** The filters of the address, as the API takes them. */
export function filtersNow() {
  return Object.fromEntries(FILTERS.map((name) => [name, query.value.get(name) ?? ""]).filter(([, value]) => value));
}

/** The root fields of GraphQL that a row names: "product(id), cart" are product and cart. */
function fieldsOf(route) {
  return route.replace(/\([^)]*\)/g, "").split(", ");
}

function matches(row, filters) {
  const { gateway, route, status, state, slow, screens, text } = filters;
  if (gateway && row.gateway !== gateway) return false;
  if (route && nameOf(row) !== route && row.route_id !== route && !fieldsOf(row.route).includes(route)) return false;
  if (state && !state.split(",").includes(row.state)) return false;
  if (slow && row.seconds < SLOW) return false;
  if (screens && !row.screen) return false;
  if (status && !String(row.status).startsWith(status.replace("xx", ""))) return false;
  return !text || [row.id, row.route, nameOf(row), row.route_id ?? "", row.screen, row.viewer, row.gateway].some((field) => field.toLowerCase().includes(text.toLowerCase()));
}

/** The rows of a resource with the news in front; those that came while scrolled wait in `fresh`. */
export function useRows(resource, filters, isAtTop) {
  const [state, change] = useState({ rows: [], fresh: [], older: "", dropped: 0 });
  useEffect(() => {
    if (resource.data) change({ rows: resource.data.rows, fresh: [], older: resource.data.older, dropped: 0 });
  }, [resource.data]);
  const now = useRef(filters);
  now.current = filters;
  useEffect(() => onNews(({ requests, dropped }) => {
    if (dropped) change((old) => ({ ...old, dropped: old.dropped + dropped }));
    const found = requests.filter((row) => matches(row, now.current)).reverse();
    if (!found.length) return;
    change((old) => {
      const isNew = unlike(isAtTop.current ? old.rows : [...old.fresh, ...old.rows.slice(0, 50)]);
      const added = found.filter(isNew);
      if (isAtTop.current) return { ...old, rows: cut([...added, ...old.fresh, ...old.rows]), fresh: [] };
      return { ...old, fresh: cut([...added, ...old.fresh]) };
    });
  }), []);
  const showFresh = () => change((old) => ({ ...old, rows: cut([...old.fresh, ...old.rows]), fresh: [] }));
  const loadOlder = async () => {
    const page = await get("requests", { ...filters, before: state.older });
    change((old) => ({ ...old, rows: [...old.rows, ...page.rows.filter(unlike(old.rows))], older: page.older }));
  };
  return { ...state, showFresh, loadOlder };
}

function unlike(rows) {
  const ids = new Set(rows.map(({ id }) => id));
  return ({ id }) => !ids.has(id);
}

function cut(rows) {
  return rows.length > MOST ? rows.slice(0, MOST) : rows;
}

/** Filters above, rows below; `list` is what useRows returns, `scroller` a ref of the rows. */
export function RequestList({ resource, list, chosen, scroller, isAtTop }) {
  return html`<section class="card list" aria-label="Requests">
    <${Filters} degraded=${resource.data?.degraded} />
    <div class="rows" ref=${scroller} onScroll=${(event) => (isAtTop.current = event.currentTarget.scrollTop < 8)}>
      ${list.fresh.length > 0 && html`<button type="button" class="btn fresh" onClick=${() => (scroller.current.scrollTo(0, 0), list.showFresh())}>${list.fresh.length >= MOST ? `${MOST} or more` : list.fresh.length} new</button>`}
      ${list.rows.length ? html`<${Rows} list=${list} chosen=${chosen} scroller=${scroller} />` : html`<${Loaded} resource=${resource} what="the requests" rows=${10}>${() => html`<${NoRows} />`}<//>`}
    </div></section>`;
}

function Filters({ degraded }) {
  useKeys({ d: () => setQuery({ state: query.value.get("state") === "degraded" ? "" : "degraded", slow: "", screens: "" }) });
  const value = ["slow", "screens"].find((name) => query.value.get(name)) ?? query.value.get("state") ?? "";
  const choose = (name) => setQuery({ state: ["slow", "screens"].includes(name) ? "" : name, slow: name === "slow" && "1", screens: name === "screens" && "1" });
  const share = degraded ? ` ${wholePercent(degraded)}` : "";
  const narrowed = ["route", "status", ...(value.includes(",") ? ["state"] : [])].filter((name) => query.value.get(name));
  return html`<div class="flt"><${TextFilter} label="Filter requests" placeholder="route, id, viewer hash" />
    <${Chips} label="Show" value=${value} onChange=${choose} options=${[["", "all"], ["screens", "screens"], ["degraded", `degraded${share}`], ["slow", "slow"], ["failed", "failed"]]} />
    ${narrowed.map((name) => html`<${FilterChip} key=${name} name=${name} />`)}
  </div>`;
}

function Rows({ list, chosen, scroller }) {
  const { rows, older, loadOlder } = list;
  const { first, last, height } = useWindow(scroller, rows.length, true, 46);
  useFollowed(scroller, rows, chosen, height);
  return html`<ul style=${{ paddingTop: `${first * height}px`, paddingBottom: `${(rows.length - last) * height}px` }}>
    ${rows.slice(first, last).map((row) => html`<${Row} key=${row.id} row=${row} isChosen=${row.id === chosen} />`)}</ul>
    ${older && html`<p class="older"><button type="button" class="btn" onClick=${loadOlder}>Older requests</button></p>`}`;
}

/** Scrolls to the chosen row when the keyboard moves it. */
function useFollowed(scroller, rows, chosen, height) {
  useLayoutEffect(() => {
    const index = rows.findIndex(({ id }) => id === chosen);
    const element = scroller.current;
    if (index < 0 || !element) return;
    const top = index * height;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + height > element.scrollTop + element.clientHeight) element.scrollTop = top + height - element.clientHeight;
  }, [chosen]);
}

function Row({ row, isChosen }) {
  const href = hrefOf("requests", { subject: row.id, query: Object.fromEntries(query.value) });
  const isFirst = query.value.get("compare") === row.id;
  return html`<li><a href=${href} aria-current=${isChosen ? "true" : undefined} class=${isFirst ? "first" : ""}>
    <span class="l1"><${Icon} name=${clientIcon(row.gateway)} size=${15} /><b>${nameOf(row)}</b><span class="grow"></span><span class=${statusClass(row.status)}>${row.status || "–"}</span><span class=${`ms ${row.seconds >= SLOW || row.state === "degraded" ? "hotms" : ""}`}>${row.size === null ? "live" : duration(row.seconds)}</span></span>
    <span class="l2"><span>${timeOfDay(row.time)}</span><span>${row.size === null ? "stream" : bytes(row.size)}</span><span class="sr">${row.gateway}, ${row.state}</span>${row.route_id && html`<span title="proxied route">${row.route_id}</span>`}${row.is_cached && html`<span>cached</span>`}${isFirst && html`<b>compared</b>`}<span class="grow"></span><${Strip} parts=${row.parts} /></span>
  </a></li>`;
}

function NoRows() {
  if (Object.keys(filtersNow()).length) {
    return html`<${Empty} title="No request matches" text="Requests appear here as gateways answer them."><p><button type="button" class="btn" onClick=${() => setQuery(Object.fromEntries(FILTERS.map((name) => [name, ""])))}>Show all</button></p><//>`;
  }
  const gateway = installation.value?.gateways[0];
  return html`<${Empty} title="No requests yet" text="Requests appear here as gateways answer them.">${gateway && html`<p><a class="btn" href=${hrefOf("api", { query: { gateway: gateway.name } })}>Send a request</a></p>`}<//>`;
}
