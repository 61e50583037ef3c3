// Where the labels of events stand above a chart, so that none covers another. No drawing.

const GAP = 6; // pixels between a line and its label
const NEAR = 14; // events closer than these pixels share a label
const MOST_WIDTH = 220;

/**
 * Labels for events, each {x, text} in the order of x: returns {at, x, end, row, text} for those that
 * have room in one of `rows`; `text` counts the events that share it ("reviews stopped +2").
 *
 * `fit(text, most)` returns {text, width}, cut to `most` pixels.
 */
export function placeLabels(events, { left, right }, fit, rows = 2) {
  const placed = [];
  for (const group of groupsOf(events).reverse()) { // the newest ones have the first choice
    const found = place(group, placed, { left, right }, fit, rows);
    if (found) placed.push(found);
  }
  return placed;
}

function groupsOf(events) {
  const groups = [];
  for (const event of events) {
    const last = groups.at(-1);
    if (last && event.x - last.x <= NEAR) last.texts.push(event.text);
    else groups.push({ x: event.x, texts: [event.text] });
  }
  return groups;
}

function place({ x, texts }, placed, { left, right }, fit, rows) {
  const distinct = [...new Set(texts)];
  const more = distinct.length > 1 ? ` +${distinct.length - 1}` : "";
  const { text, width } = fit(distinct[0], MOST_WIDTH - (more ? 24 : 0));
  const length = width + (more ? 24 : 0);
  for (let row = 0; row < rows; row += 1) {
    for (const end of x > (left + right) / 2 ? [true, false] : [false, true]) {
      const from = end ? x - GAP - length : x + GAP;
      const isInside = from >= left && from + length <= right;
      const isFree = placed.every((other) => other.row !== row || from > other.to + GAP || from + length + GAP < other.from);
      if (isInside && isFree) return { at: x, x: end ? x - GAP : x + GAP, end, row, text: text + more, from, to: from + length };
    }
  }
  return null;
}
