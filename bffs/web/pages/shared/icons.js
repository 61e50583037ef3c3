// The shapes of icons. Each state has its own shape, so that nothing depends on colour alone.

const fill = (d, more) => ["path", { d, fill: "currentColor", ...more }];
const line = (d, width = 1.3, more = {}) => [
  "path",
  { d, fill: "none", stroke: "currentColor", "stroke-width": width, "stroke-linecap": "round", "stroke-linejoin": "round", ...more },
];
const cut = (d, width) => line(d, width, { stroke: "var(--icon-cut, var(--surface))" });
const ring = (width, more) => [
  "circle",
  { cx: 6, cy: 6, r: 4.8, fill: "none", stroke: "currentColor", "stroke-width": width, ...more },
];
const disc = ["circle", { cx: 6, cy: 6, r: 5.5, fill: "currentColor" }];
const half = { box: 12, shapes: [ring(1.5), fill("M6 1.2a4.8 4.8 0 0 1 0 9.6z")] };
const square = ["rect", { x: 1, y: 1, width: 10, height: 10, rx: 2, fill: "currentColor" }];
const frame = (x, y, width, height, rx) => [
  "rect",
  { x, y, width, height, rx, fill: "none", stroke: "currentColor", "stroke-width": 1.3 },
];

/** By name: the side of the square that it is drawn in, and its shapes. */
export const SHAPES = {
  // states of parts and screens
  ok: { box: 12, shapes: [disc, cut("M3.4 6.2 5.3 8 8.7 4.3", 1.6)] },
  complete: { box: 12, shapes: [disc, cut("M3.4 6.2 5.3 8 8.7 4.3", 1.6)] },
  stale: { box: 12, shapes: [ring(1.5), line("M6 3.4V6l2 1.4", 1.5)] },
  partial: half,
  fallback: half,
  degraded: half,
  missing: { box: 12, shapes: [ring(1.6, { "stroke-dasharray": "2.3 2.7" })] },
  forbidden: { box: 12, shapes: [disc, cut("M3 6h6", 1.8)] },
  failed: { box: 12, shapes: [square, cut("m4 4 4 4m0-4-4 4", 1.6)] },
  offline: { box: 12, shapes: [line("M1.6 4.6a6.2 6.2 0 0 1 8.8 0M3.6 6.8a3.4 3.4 0 0 1 4.8 0M6 9.2v.1M2 10.5l8-9", 1.3)] },
  stopped: { box: 12, shapes: [square] },
  waiting: { box: 12, shapes: [ring(1.5, { "stroke-dasharray": "8 22", class: "turns" })] },

  // clients
  web: { box: 16, shapes: [frame(1.5, 2.5, 13, 11, 1.5), line("M1.5 6h13M4 4.3h.1M6 4.3h.1")] },
  mobile: { box: 16, shapes: [frame(4.2, 1.5, 7.6, 13, 1.6), line("M7 12.3h2")] },
  desktop: { box: 16, shapes: [frame(1, 2.2, 14, 9, 1.4), line("M5 14h6M8 11.4V14")] },

  // things to do
  logo: { box: 20, shapes: [line("M2 3h3c4 0 4 7 8 7M2 10h11M2 17h3c4 0 4-7 8-7", 1.8), ["rect", { x: 12.5, y: 6, width: 6, height: 8, rx: 1.6, fill: "currentColor" }]] },
  cart: { box: 16, shapes: [line("M1.5 2.5h2l1.7 7.5h7l1.5-5.5H4.1"), ["circle", { cx: 6, cy: 13, r: 1.2, fill: "currentColor" }], ["circle", { cx: 11.5, cy: 13, r: 1.2, fill: "currentColor" }]] },
  star: { box: 10, shapes: [fill("m5 .8 1.3 2.8 3 .4-2.2 2.1.55 3L5 7.7 2.350 9.1l.55-3L.7 4l3-.4z")] },
  home: { box: 16, shapes: [line("M2.5 7.5 8 2.7l5.5 4.8M4 6.5V13h8V6.5M6.7 13V9.5h2.6V13")] },
  search: { box: 16, shapes: [["circle", { cx: 7, cy: 7, r: 4.6, fill: "none", stroke: "currentColor", "stroke-width": 1.4 }], line("m10.5 10.5 3.7 3.7", 1.4)] },
  orders: { box: 16, shapes: [line("M2.5 5 8 2.2 13.5 5v6L8 13.8 2.5 11zM2.5 5 8 7.8 13.5 5M8 7.8v6")] },
  user: { box: 16, shapes: [["circle", { cx: 8, cy: 5.5, r: 2.8, fill: "none", stroke: "currentColor", "stroke-width": 1.3 }], line("M2.8 14c.5-3 2.5-4.5 5.2-4.5s4.7 1.5 5.2 4.5")] },
  back: { box: 16, shapes: [line("M10 3 5 8l5 5", 1.5)] },
  next: { box: 16, shapes: [line("m6 3 5 5-5 5", 1.5)] },
  close: { box: 16, shapes: [line("m4 4 8 8m0-8-8 8", 1.5)] },
  plus: { box: 16, shapes: [line("M8 3v10M3 8h10", 1.5)] },
  minus: { box: 16, shapes: [line("M3 8h10", 1.5)] },
  check: { box: 16, shapes: [line("m3 8.5 3.3 3.3L13 4.5", 1.6)] },
  retry: { box: 16, shapes: [line("M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3", 1.4)] },
  trash: { box: 16, shapes: [line("M3 4.5h10M6 4.5v-2h4v2M4.3 4.5 5 13.5h6l.7-9")] },
  download: { box: 16, shapes: [line("M8 2.5v7.5m-3-3 3 3 3-3M3 13h10", 1.4)] },
  edit: { box: 16, shapes: [line("m3 13 .6-2.8 7-7 2.2 2.2-7 7zM9.5 4.3l2.2 2.2")] },
};
