// Logs: what did processes say around this moment?
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { FilterChip, TextFilter } from "../components/filter.js";
import { Frame } from "../components/frame.js";
import { Empty, Loaded } from "../components/panels.js";
import { Chips, Pick } from "../components/pick.js";
import { useWindow } from "../components/table.js";
import { count, fieldsOf, number, timeOfDay } from "../format.js";
import { html } from "../html.js";
import { installation, onNews } from "../live-stream.js";
import { useResource } from "../resource.js";
import { hrefOf, query, setQuery } from "../router.js";

const LOADED = 2000; // lines at first
const MOST = 5000; // lines held, with those that come live
const LEVELS = ["debug", "info", "warning", "error"];
const SHOWN_LEVELS = [["", "all"], ["info", "info and above"], ["warning", "warnings and errors"], ["error", "errors"]];

function filtersNow() {
  return Object.fromEntries(["process", "level", "text", "request"].map((name) => [name, query.value.get(name) ?? ""]).filter(([, value]) => value));
}

function matches(line, { process, level, text, request }) {
  if (process && line.process !== process) return false;
  if (level && LEVELS.indexOf(line.level) < LEVELS.indexOf(level)) return false;
  if (request && line.request_id !== request) return false;
  return !text || `${line.text} ${fieldsOf(line)} ${line.request_id}`.toLowerCase().includes(text.toLowerCase());
}

export function Page() {
  const filters = filtersNow();
  const resource = useResource("logs", { ...filters, limit: LOADED });
  const scroller = useRef(null);
  const isAtEnd = useRef(true);
  const log = useLines(resource, filters, isAtEnd);
  const names = processes(log.lines);
  const options = [["", "All processes"], ...names.map((name) => [name, name])];
  const pick = html`<${Pick} label="Process" options=${options} value=${filters.process ?? ""} onChange=${(process) => setQuery({ process })} />`;
  const note = ({ currentTarget: box }) => (isAtEnd.current = box.scrollTop + box.clientHeight > box.scrollHeight - 20);
  const showNew = () => {
    isAtEnd.current = true;
    log.read();
    scroller.current.scrollTo(0, scroller.current.scrollHeight);
  };
  return html`<${Frame} title="Logs" class="logs" filters=${pick} note=${noteOf(log, filters)}>
    <section class="card loglist" aria-label="Log lines"><${Filters} />
      <div class="lines" ref=${scroller} tabindex="0" role="region" aria-label="Lines, oldest first" onScroll=${note}>
        ${log.lines.length
          ? html`<${Lines} log=${log} scroller=${scroller} isAtEnd=${isAtEnd} />`
          : html`<${Loaded} resource=${resource} what="the log lines" rows=${12}>${() => html`<${NoLines} />`}<//>`}
      </div>
      ${log.unread > 0 && html`<button type="button" class="btn fresh" onClick=${showNew}>${count(log.unread, "new line")}</button>`}
    </section><//>`;
}

function noteOf({ lines, dropped }, { level, text, request }) {
  if (level || text || request) return count(lines.length, "line matches", "lines match"); // of dropped lines no one knows
  const lost = dropped > 0 ? ` · ${number(dropped)} older or too many to show` : "";
  return lines.length ? `${count(lines.length, "line")}${lost}` : "";
}

function processes(lines) {
  const info = installation.value;
  const known = info?.processes.length ? info.processes : (info?.gateways ?? []);
  return [...new Set([...known.map(({ name }) => name), ...lines.slice(-200).map(({ process }) => process)])];
}

/** The lines with the news at the end; while scrolled up, `unread` counts them. */
function useLines(resource, filters, isAtEnd) {
  const [state, change] = useState({ lines: [], dropped: 0, unread: 0 });
  useEffect(() => void (resource.data && change({ ...resource.data, unread: 0 })), [resource.data]);
  const now = useRef(filters);
  now.current = filters;
  useEffect(() => onNews(({ logs }) => {
    const found = logs.filter((line) => matches(line, now.current));
    if (!found.length) return;
    change((old) => {
      const ids = new Set(old.lines.slice(-500).map(({ id }) => id));
      const added = found.filter(({ id }) => !ids.has(id));
      const lines = [...old.lines, ...added];
      const excess = Math.max(0, lines.length - MOST);
      return { lines: lines.slice(excess), dropped: old.dropped + excess, unread: isAtEnd.current ? 0 : old.unread + added.length };
    });
  }), []);
  return { ...state, read: () => change((old) => ({ ...old, unread: 0 })) };
}

function Filters() {
  const request = query.value.get("request");
  return html`<div class="logflt"><${TextFilter} label="Filter lines" placeholder="text, field=value, request id" />
    <${Chips} label="Level" value=${query.value.get("level") ?? ""} onChange=${(level) => setQuery({ level })} options=${SHOWN_LEVELS} />
    ${request && html`<${FilterChip} name="request" others=${{ line: "" }} />
      <a class="btn" href=${hrefOf("requests", { subject: request })}>Open the request</a>`}
  </div>`;
}

function Lines({ log, scroller, isAtEnd }) {
  const { lines } = log;
  const { first, last, height } = useWindow(scroller, lines.length, true, 22);
  const wanted = query.value.get("line") ?? "";
  const isFound = useRef("");
  useLayoutEffect(() => {
    const box = scroller.current;
    const index = wanted && isFound.current !== wanted ? lines.findIndex(({ id }) => id === wanted) : -1;
    if (index >= 0) {
      isFound.current = wanted;
      isAtEnd.current = false;
      box.scrollTop = Math.max(0, index * height - box.clientHeight / 2);
    } else if (isAtEnd.current) box.scrollTop = box.scrollHeight;
  }, [lines, height, wanted]);
  return html`<ol style=${{ paddingTop: `${first * height}px`, paddingBottom: `${Math.max(0, lines.length - last) * height}px` }}>
    ${lines.slice(first, last).map((line) => html`<${Line} key=${line.id} line=${line} isChosen=${line.id === wanted} />`)}</ol>`;
}

function Line({ line, isChosen }) {
  const fields = fieldsOf(line);
  const id = line.request_id;
  const request = id
    ? html`<a href=${hrefOf("requests", { subject: id, query: { tab: "logs" } })} title=${id}><span class="sr">Request </span>${id.slice(0, 12)}</a>`
    : html`<span></span>`;
  return html`<li class=${line.level} aria-current=${isChosen ? "true" : undefined}>
    <span class="muted">${timeOfDay(line.time)}</span><span class="who">${line.process}</span><span class=${`lv ${line.level}`}>${line.level}</span>
    <span class="txt" title=${`${line.text} ${fields}`}>${line.text} <span class="muted">${fields}</span></span>${request}</li>`;
}

function NoLines() {
  const isNarrow = Object.keys(filtersNow()).length > 0;
  const showAll = () => setQuery({ process: "", level: "", text: "", request: "", line: "" });
  return html`<${Empty} title=${isNarrow ? "No line matches" : "No lines yet"} text="Lines appear here as processes write them.">
    ${isNarrow && html`<p><button type="button" class="btn" onClick=${showAll}>Show all</button></p>`}<//>`;
}
