// Prices as people type them: "91.90", "91,90", "€1 234". Amounts are in minor units (cents).

export const LEAST = 1;
export const MOST = 10_000_000; // the gateway's services take up to 100,000.00

export function decimalsOf(currency) {
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  return format.resolvedOptions().maximumFractionDigits;
}

// As it stands in a field: no currency, no grouping, so that it can be edited and read again.
export function fieldText(amount, currency) {
  const decimals = decimalsOf(currency);
  return (amount / 10 ** decimals).toFixed(decimals);
}

// As it stands in a column whose head names the currency.
export function columnText(amount, currency) {
  const digits = decimalsOf(currency);
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat("en", options).format(amount / 10 ** digits);
}

// Returns {amount}, or {problem} with a sentence for the person who typed it; `isOutOfRange` says that it is
// an amount, but not one that is allowed.
export function parsePrice(text, currency) {
  const decimals = decimalsOf(currency);
  const bare = text.replace(/[\s\u00a0\u202f€$£]/g, "").replace(currency, "");
  if (!bare) return { problem: "Enter a price, or undo the change." };
  if (/^-[0-9.,'’]*[0-9][0-9.,'’]*$/.test(bare)) return outOfRange("A price can't be negative", currency);
  if (!/^[0-9]*([.,'’][0-9]+)*[.,]?$/.test(bare) || !/[0-9]/.test(bare)) {
    return { problem: `“${text.trim()}” is not a price. Use digits, such as 91.90.` };
  }
  const split = splitDecimals(bare, decimals);
  if (split.problem) return split;
  const amount = Number(split.whole || "0") * 10 ** decimals + Number(split.fraction.padEnd(decimals, "0") || "0");
  if (amount < LEAST) return outOfRange(`The lowest price is ${fieldText(LEAST, currency)}`, currency);
  if (amount > MOST) return outOfRange(`The highest price is ${columnText(MOST, currency)}`, currency);
  return { amount };
}

// "from 0.01 to 100,000.00"
export function rangeText(currency) {
  return `from ${columnText(LEAST, currency)} to ${columnText(MOST, currency)}`;
}

// It can be read, but no price may be that.
function outOfRange(reason, currency) {
  return { problem: `${reason}: allowed is ${rangeText(currency)}.`, isOutOfRange: true };
}

// Separates what comes before the decimal mark from what comes after it.
function splitDecimals(bare, decimals) {
  const [, last] = bare.match(/.*([.,])/) ?? [];
  if (!last) return { whole: bare.replace(/['’]/g, ""), fraction: "" };
  const at = bare.lastIndexOf(last);
  const before = bare.slice(0, at);
  const fraction = bare.slice(at + 1);
  const isRepeated = before.includes(last); // 1.234.567: a mark that comes twice groups thousands
  const hasOther = /[.,'’]/.test(before.replaceAll(last, ""));
  if (isRepeated || (fraction.length === 3 && decimals !== 3 && hasOther)) return grouped(bare);
  if (fraction.length === 3 && decimals !== 3 && /^[1-9][0-9]{0,2}$/.test(before)) {
    return { problem: `“${bare}” can be read in two ways. Write ${before}${fraction} or ${before}.${fraction.slice(0, decimals)}.` };
  }
  if (fraction.length > decimals) return { problem: `A price has ${decimals} decimals at most.` };
  const whole = before.replace(/[.,'’]/g, "");
  return /[.,'’]/.test(before) ? { ...grouped(before), fraction } : { whole, fraction };
}

function grouped(text) {
  if (!/^[0-9]{1,3}([.,'’][0-9]{3})+$/.test(text)) return { problem: `“${text}” is not a price. Use digits, such as 1234.50.` };
  return { whole: text.replace(/[.,'’]/g, ""), fraction: "" };
}
