// Amounts of money, which the gateways send in minor units (cents) with their currency (ISO 4217).

const formats = new Map();

/** Returns 9090, "EUR" as "€90.90"; without the symbol if `isBare`, for columns that name the currency. */
export function money(minor, currency, { isBare = false } = {}) {
  const format = formatOf(currency, isBare);
  return format.format(minor / 10 ** digitsOf(currency));
}

/** Returns how many digits follow the point: 2 for EUR, 0 for JPY. */
export function digitsOf(currency) {
  return formatOf(currency, false).resolvedOptions().maximumFractionDigits;
}

/** Returns the minor units of what somebody typed ("90.90" is 9090), or null if it is no amount. */
export function minorOf(text, currency) {
  const digits = digitsOf(currency);
  const plain = text.trim().replaceAll(",", "");
  if (!/^\d{1,12}(\.\d+)?$/.test(plain)) return null;
  const [whole, fraction = ""] = plain.split(".");
  if (fraction.length > digits) return null;
  return Number(whole + fraction.padEnd(digits, "0"));
}

function formatOf(currency, isBare) {
  const key = `${currency} ${isBare}`;
  if (!formats.has(key)) formats.set(key, newFormat(currency, isBare));
  return formats.get(key);
}

// A code that is none of ISO 4217 is written before the amount, with two digits.
function currencyFormat(language, currency) {
  try {
    return new Intl.NumberFormat(language, { style: "currency", currency });
  } catch {
    const plain = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    return { format: (value) => `${currency ?? "?"} ${plain.format(value)}`, resolvedOptions: () => plain.resolvedOptions() };
  }
}

function newFormat(currency, isBare) {
  const language = globalThis.document?.documentElement.lang || "en";
  if (!isBare) return currencyFormat(language, currency);
  const digits = digitsOf(currency);
  return new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
