// Which variants of a product there are, by what makes them: colour, size.

const COLOURS = {
  BLK: "Black", WHT: "White", GRY: "Slate grey", NAV: "Navy", SKY: "Sky blue", PTL: "Petrol", GRN: "Moss green", OLV: "Olive",
  SND: "Sand", BRN: "Chestnut", RST: "Rust", RED: "Cherry red", BRY: "Blackberry", YLW: "Mustard", CRL: "Coral", ECR: "Ecru",
};
const UNKNOWN = { status: "unknown", available: null };

/** Returns the choices in order: [{name: "color", values: [{value, label}]}]; what all variants share has one value. */
export function choices(variants) {
  const found = new Map();
  for (const { options } of variants) {
    for (const { name, value } of options) {
      if (!found.has(name)) found.set(name, new Map());
      found.get(name).set(value, labelOf(name, value));
    }
  }
  return [...found].map(([name, values]) => ({ name, values: [...values].map(([value, label]) => ({ value, label })) }));
}

function labelOf(name, value) {
  return name === "color" ? (COLOURS[value] ?? value) : value;
}

/** Returns {color: "SND", size: "12"} of a variant. */
export function optionsOf(variant) {
  return Object.fromEntries(variant.options.map(({ name, value }) => [name, value]));
}

/** Returns a variant as words, "Sand, 12". */
export function variantWords(variant) {
  return variant.options.map(({ name, value }) => labelOf(name, value)).join(", ");
}

/** Returns a line of a cart or an order as words: the variant's, or else its stock number. */
export function skuWords({ sku, variant }) {
  return variant?.options?.length ? variantWords(variant) : sku;
}

/** Returns the variant that has all the chosen options, or undefined. */
export function variantOf(variants, chosen) {
  return variants.find((variant) => Object.entries(chosen).every(([name, value]) => optionsOf(variant)[name] === value));
}

/**
 * Returns the variant that is chosen if one option changes: with the other options as they are, or else the
 * first that has the new one.
 */
export function changed(variants, current, name, value) {
  return (
    variantOf(variants, { ...optionsOf(current), [name]: value }) ??
    variants.find((variant) => optionsOf(variant)[name] === value) ??
    current
  );
}

/** Returns the stock of one variant of a product; null if it is not known. */
export function stockOf(stock, sku) {
  if (!stock) return null;
  return stock.variants.find((one) => one.sku === sku) ?? null;
}

/** Returns whether a value leads to a variant that is sold out, with the other options as they are. */
export function isSoldOut(variants, stock, current, name, value) {
  const { status } = stockOf(stock, changed(variants, current, name, value).sku) ?? UNKNOWN;
  return status === "out_of_stock";
}

/** Returns how many more of a variant the cart may hold: 99 at most, and no more than there are. */
export function room(stock, inCart, most = 99) {
  const available = stock?.available ?? most;
  return Math.max(0, Math.min(most, available) - inCart);
}
