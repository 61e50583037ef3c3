// What the waterfall draws: rows of parts, calls and attempts, with their bars. No drawing.
import { reasonInWords } from "../../reasons.js";

const LEAST_GAP = 0.001; // seconds between a call and its first attempt that are drawn as waiting

/**
 * The rows of a RequestDetail, in order, each {id, depth, kind, name, detail, start, seconds, bars,
 * notes, state, part, isFoldable, isOpenFirst, blame}. A part with one call, and a call with one
 * plain attempt, are one row.
 */
export function rowsOf({ row, spans }) {
  const children = new Map();
  spans.forEach((span, index) => {
    if (!children.has(span.within)) children.set(span.within, []);
    children.get(span.within).push(index);
  });
  const tree = { row, spans, children };
  const inside = (children.get(-1) ?? []).flatMap((index) => rowsOfSpan(tree, index, 1));
  return [rootOf(tree, inside), ...inside];
}

/** All rows that are not inside of a folded one. */
export function unfolded(rows, isFolded) {
  let hiddenBelow = Infinity;
  return rows.filter((row) => {
    if (row.depth > hiddenBelow) return false;
    hiddenBelow = row.isFoldable && isFolded(row) ? row.depth : Infinity;
    return true;
  });
}

function rootOf({ row, spans }, inside) {
  const work = spans.filter(isOfView).at(-1);
  const until = work ? work.start : row.seconds;
  const bars = [{ start: 0, end: until, tone: "wait" }];
  if (work) bars.push({ start: work.start, end: work.start + work.seconds, tone: "ink" });
  return {
    id: "request", depth: 0, kind: "request", name: nameOf(row), detail: [row.gateway, row.screen, row.route_id].filter(Boolean).join(" · "), start: 0, seconds: row.seconds,
    bars, notes: row.is_cached ? ["from the view cache"] : [], state: row.state, part: "", isFoldable: inside.length > 0, isOpenFirst: true, blame: "",
  };
}

/** "GET /v1/home" or, of GraphQL, the field. */
export function nameOf({ method, route }) {
  return route.startsWith("/") ? `${method} ${route}` : route;
}

function kindsOf(tree, index) {
  const inside = (tree.children.get(index) ?? []).map((child) => [child, tree.spans[child]]);
  return {
    calls: inside.filter(([, span]) => span.kind === "call").map(([child]) => child),
    attempts: inside.filter(([, span]) => span.kind === "attempt").map(([child]) => child),
    others: inside.filter(([, span]) => span.kind === "part" || span.kind === "work").map(([child]) => child),
  };
}

function rowsOfSpan(tree, index, depth) {
  const span = tree.spans[index];
  if (span.kind === "attempt") return [attemptRow(tree, index, depth)];
  if (span.kind === "work") return [workRow(index, span, depth)];
  const { calls, attempts, others } = kindsOf(tree, index);
  const isMerged = span.kind === "part" && calls.length === 1 && others.length === 0;
  const call = span.kind === "call" ? index : isMerged ? calls[0] : null;
  const ofCall = call === null ? null : span.kind === "call" ? { attempts, others } : kindsOf(tree, call);
  const tries = ofCall ? ofCall.attempts : [];
  const isCached = call !== null && isFromCache(tree.spans[call]);
  const shown = !isCached && areTriesShown(tree, tries) ? tries : [];
  const inside = ofCall ? [...shown, ...ofCall.others.filter((one) => !isCached || tree.spans[one].kind !== "work")] : [...calls, ...others];
  const below = inside.flatMap((child) => rowsOfSpan(tree, child, depth + 1));
  const behind = isCached ? [...tries, ...ofCall.others.filter((one) => tree.spans[one].kind === "work")] : [];
  return [spanRow(tree, index, call, { tries, behind }, below, depth), ...below];
}

/** What the view did for the answer, or what the gateway did behind it, for which no one waited. */
function workRow(index, span, depth) {
  const isOfAnswer = isOfView(span);
  const bar = isOfAnswer ? barOf(span, "ink") : { ...barOf(span, "ghost"), title: "behind the answer" };
  return { ...plainRow(index, span, depth), name: span.name, detail: isOfAnswer ? span.upstream : "behind the answer", bars: [bar] };
}

function isOfView({ kind, upstream }) {
  return kind === "work" && upstream === "view";
}

function isFromCache({ source }) {
  return source === "cache" || source === "stale";
}

/** Attempts have rows of their own where there are several, or the one is what went wrong. */
function areTriesShown(tree, tries) {
  return tries.length > 1 || tries.some((index) => toneOf(tree.spans[index]) !== "work");
}

function plainRow(index, span, depth) {
  return { id: String(index), depth, kind: span.kind, start: span.start, seconds: span.seconds, notes: span.marks, state: "", part: "", isFoldable: false, isOpenFirst: false, blame: "" };
}

function spanRow(tree, index, callIndex, { tries, behind }, below, depth) {
  const span = tree.spans[index];
  const call = callIndex === null ? null : tree.spans[callIndex];
  const involved = [span, call, ...tries.map((one) => tree.spans[one])].filter(Boolean);
  const blamed = involved.find((one) => one.is_to_blame);
  const isPart = span.kind === "part";
  const notes = [isPart && span.is_critical && "critical", ...(isPart ? span.marks : []), ...(call?.marks ?? [])].filter(Boolean);
  return {
    ...plainRow(index, span, depth),
    name: isPart ? span.name : span.upstream || span.name,
    detail: detailOf(span, call),
    bars: blamed ? [{ ...barOf(span, blameTone(span)), isTall: true }] : barsOf(tree, span, call, { tries, behind }, below.length > 0),
    notes,
    state: isPart ? span.outcome : stateOfCall(span),
    part: isPart ? span.name : "",
    isFoldable: below.length > 0,
    isOpenFirst: true,
    blame: blamed ? blameText(span, involved) : "",
    timeout: Math.max(...involved.map((one) => one.timeout)),
  };
}

function detailOf(span, call) {
  const source = call ?? span;
  const operation = span.kind === "call" || call ? source.name : "";
  return [span.kind === "call" ? "" : source.upstream, operation === source.upstream ? "" : operation].filter(Boolean).join(" · ");
}

function stateOfCall({ outcome, error }) {
  return error || Number(outcome) >= 500 ? "failed" : "ok";
}

/** The colour of the span to blame: that of its state; one that is well took too long. */
function blameTone(span) {
  return span.kind === "part" ? (toneOfPart(span) ?? "fallback") : stateOfCall(span) === "failed" ? "failed" : "fallback";
}

/** The colour of a part that is not well. */
function toneOfPart({ outcome }) {
  return outcome === "partial" ? "fallback" : ["stale", "fallback", "missing", "forbidden", "failed"].find((state) => state === outcome);
}

function blameText(span, involved) {
  const limit = Math.max(...involved.map((one) => one.timeout));
  const why = limit > 0 ? `timeout after ${seconds(limit)}` : reasonInWords(span.reason || involved.map((one) => one.error).find(Boolean) || "");
  const what = { fallback: "fallback value", partial: "some values only", missing: "no value", stale: "an old value", forbidden: "not for this viewer" }[span.outcome] ?? "";
  return [why, what].filter(Boolean).join(", ");
}

function seconds(value) {
  return `${Math.round(value * 1000) / 1000} s`;
}

function barOf(span, tone) {
  return { start: span.start, end: span.start + Math.max(0, span.seconds), tone };
}

/** `behind` are the spans that refresh a cached value meanwhile. */
function barsOf(tree, span, call, { tries, behind }, hasRowsBelow) {
  if (call && isFromCache(call)) return [{ ...barOf(call, "stale"), isTick: true }, ...behind.map((index) => ({ ...barOf(tree.spans[index], "ghost"), title: "to renew the cached reply" }))];
  const ofPart = span.kind === "part" && toneOfPart(span);
  if (ofPart) return [barOf(span, ofPart)];
  if (hasRowsBelow) return [barOf(span, "wait")];
  const first = tries.length ? tree.spans[tries[0]] : null;
  const tone = stateOfCall(call ?? span) === "failed" ? "failed" : "work";
  const isWaiting = first && first.start - span.start > LEAST_GAP;
  const bar = barOf(span, tone);
  return isWaiting ? [{ start: span.start, end: first.start, tone: "hatch", title: "waits for its turn" }, { ...bar, start: first.start }] : [bar];
}

function attemptRow(tree, index, depth) {
  const span = tree.spans[index];
  const others = tree.children.get(span.within).filter((one) => tree.spans[one].kind === "attempt");
  const number = others.indexOf(index) + 1;
  const next = tree.spans[others[number]];
  const isHedge = span.marks.some((mark) => mark.startsWith("hedge"));
  const backoff = span.marks.find((mark) => mark.startsWith("backoff"));
  const tone = toneOf(span);
  const bars = [{ ...barOf(span, tone), title: { hatch: "waits for an answer that did not come", ghost: "cancelled" }[tone] ?? "" }];
  if (backoff && next) bars.push({ start: bars[0].end, end: next.start, tone: "hatch", title: "waits before the next attempt" });
  return {
    ...plainRow(index, span, depth), name: `attempt ${number}${isHedge ? ", hedge" : ""}`, detail: [span.name, span.error && !(Number(span.outcome) > 0) ? reasonInWords(span.error) : reasonInWords(span.outcome)].filter(Boolean).join(" · "),
    bars, notes: span.marks.filter((mark) => !mark.startsWith("hedge")), timeout: span.timeout,
  };
}

function toneOf({ outcome, error, timeout }) {
  if (outcome === "cancelled") return "ghost";
  if (timeout > 0 || /timeout|deadline/.test(outcome)) return "hatch";
  return error || Number(outcome) >= 500 || /[a-z]/.test(outcome) ? "failed" : "work";
}

/** The step of the scale: the round number of seconds that gives three to six lines. */
export function scaleStep(total) {
  const power = 10 ** Math.floor(Math.log10(Math.max(total, 1e-6)) - 0.001);
  return [0.2, 0.5, 1, 2, 5].map((factor) => factor * power).find((step) => total / step <= 5) ?? power * 5;
}
