// Requests: what happened to this request?
import { useEffect, useRef } from "preact/hooks";
import { Frame, GatewayPick } from "../components/frame.js";
import { number, rate } from "../format.js";
import { html } from "../html.js";
import { useKeys } from "../keys.js";
import { overview } from "../live-stream.js";
import { useResource } from "../resource.js";
import { go, hrefOf, query, setQuery, subject } from "../router.js";
import { Detail } from "./requests/detail.js";
import { filtersNow, RequestList, useRows } from "./requests/list.js";

const LIMIT = 200;
const NARROW = 720; // px: the request is below the list

export function Page() {
  const filters = filtersNow();
  const resource = useResource("requests", { ...filters, limit: LIMIT });
  const scroller = useRef(null);
  const isAtTop = useRef(true);
  const list = useRows(resource, filters, isAtTop);
  const id = subject.value;
  useFirst(list.rows, id);
  useShown(id);
  useKeys(keysOf(list.rows, id));
  return html`<${Frame} title="Requests" class="requests" filters=${html`<${GatewayPick} />`} note=${noteOf(resource.data, list.dropped, filters.gateway)}>
    <div class="cols"><${RequestList} resource=${resource} list=${list} chosen=${id} scroller=${scroller} isAtTop=${isAtTop} />
      <${Detail} id=${id} rows=${list.rows} /></div><//>`;
}

function noteOf(data, dropped, gateway) {
  if (!data) return "";
  const figures = overview.value?.gateways.filter((one) => !gateway || one.gateway === gateway);
  const now = figures ? figures.reduce((sum, one) => sum + one.rate, 0) : data.rate;
  const sampling = data.sampled > 1 ? `1 in ${data.sampled} sampled, every degraded one stored` : "";
  return [`${rate(now)}/s`, sampling, dropped > 0 && `${number(dropped)} not listed`].filter(Boolean).join(" · ");
}

/** Where the request stands below the list, what was clicked is shown: its heading gets the focus. */
function useShown(id) {
  const before = useRef(id);
  useEffect(() => {
    const isOther = id !== "" && id !== before.current;
    before.current = id;
    if (!isOther || innerWidth > NARROW) return;
    const card = document.getElementById("request");
    card?.focus({ preventScroll: true });
    card?.scrollIntoView({ block: "start" });
  }, [id]);
}

function open(id, replace = true) {
  go(hrefOf("requests", { subject: id, query: { ...Object.fromEntries(query.value) } }), { replace });
}

/** Opens the newest request when the page is opened without one. */
function useFirst(rows, id) {
  const isDone = useRef(false);
  useEffect(() => {
    if (isDone.current || !rows.length) return;
    isDone.current = true;
    if (!id && innerWidth > NARROW) open(rows[0].id);
  }, [rows]);
}

function keysOf(rows, id) {
  const index = rows.findIndex((row) => row.id === id);
  const move = (step) => {
    const next = rows[index < 0 ? 0 : index + step];
    if (next) open(next.id);
  };
  const [next, previous] = [() => move(1), () => move(-1)];
  const close = () => {
    if (query.value.has("compare")) return setQuery({ compare: "", tab: "" });
    return id !== "" && go(hrefOf("requests", { query: Object.fromEntries(query.value) }));
  };
  return {
    j: next, k: previous, ArrowDown: next, ArrowUp: previous, "]": next, "[": previous,
    Enter: () => document.getElementById("request")?.focus(),
    Escape: close,
  };
}
