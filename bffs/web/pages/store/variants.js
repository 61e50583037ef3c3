// Which variants of a product there are, by what makes them: colour, size.

const UNKNOWN = { status: "unknown", available: null };

/**
 * Returns the choices in order: [{name: "color", label: "Colour", values: [{value, label}]}], with the values that
 * variants have. `options` are those of the product: [{name, label, values: [{id, label}]}].
 */
export function choices(variants, options = []) {
  const found = new Map();
  for (const variant of variants) {
    for (const { name, value } of variant.options) {
      if (!found.has(name)) found.set(name, new Map());
      found.get(name).set(value, labelOf(options, name, value));
    }
  }
  const label = (name) => options.find((option) => option.name === name)?.label ?? name;
  return [...found].map(([name, values]) => ({ name, label: label(name), values: [...values].map(([value, words]) => ({ value, label: words })) }));
}

function labelOf(options, name, value) {
  const option = options.find((one) => one.name === name);
  return option?.values.find(({ id }) => id === value)?.label ?? value;
}

/** Returns {color: "SND", size: "12"} of a variant. */
export function optionsOf(variant) {
  return Object.fromEntries(variant.options.map(({ name, value }) => [name, value]));
}

/** Returns a variant as words, "Sand, 12 cm". */
export function variantWords(variant, options = []) {
  return variant.options.map(({ name, value }) => labelOf(options, name, value)).join(", ");
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
