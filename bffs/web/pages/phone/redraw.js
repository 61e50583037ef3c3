// Draws parts of a screen again only where their values changed, so that nothing else moves or flickers.
import { replace } from "../shared/dom.js";

const drawn = new WeakMap();

/** Replaces the children of `node` by what `draw` returns, if `values` differ from those before. */
export function redraw(node, values, draw) {
  const next = JSON.stringify(values);
  if (drawn.get(node) === next) return;
  const children = draw(); // what can't be drawn is tried again the next time
  drawn.set(node, next);
  replace(node, children);
}
