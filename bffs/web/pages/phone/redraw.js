// Draws parts of a screen again only where their values changed, so that nothing else moves or flickers.
import { replace } from "../shared/dom.js";

const drawn = new WeakMap();

/** Replaces the children of `node` by what `draw` returns, if `values` differ from those before. */
export function redraw(node, values, draw) {
  const next = JSON.stringify(values);
  if (drawn.get(node) === next) return;
  drawn.set(node, next);
  replace(node, draw());
}
