// How wide text is, for SVG, which does not cut it.
const canvas = document.createElement("canvas").getContext("2d");
const measured = new Map();
const MOST = 2000; // texts remembered

function widthOf(text, font) {
  const key = `${font}|${text}`;
  if (!measured.has(key)) {
    if (measured.size > MOST) measured.clear();
    canvas.font = `${font} ${getComputedStyle(document.body).fontFamily}`;
    measured.set(key, canvas.measureText(text).width);
  }
  return measured.get(key);
}

/** The text, cut with an ellipsis where it is wider than `most` pixels, and its width. */
export function fit(text, font, most) {
  const width = widthOf(text, font);
  if (width <= most || !text) return { text, width };
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (widthOf(`${text.slice(0, middle)}…`, font) <= most) low = middle;
    else high = middle - 1;
  }
  const cut = low > 0 ? `${text.slice(0, low)}…` : "";
  return { text: cut, width: widthOf(cut, font) };
}
