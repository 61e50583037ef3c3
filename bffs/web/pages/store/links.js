// Addresses within the store.
import { ROOT } from "../shared/config.js";

/** The path that all pages of the store are below. */
export const BASE = `${ROOT}/store`;

/** The departments of the shop, which the catalogue has as its first categories. */
export const DEPARTMENTS = [
  { id: "outdoor", name: "Outdoor" },
  { id: "home", name: "Home" },
  { id: "kitchen", name: "Kitchen" },
  { id: "cycling", name: "Cycling" },
  { id: "clothing", name: "Clothing" },
  { id: "footwear", name: "Footwear" },
  { id: "electronics", name: "Electronics" },
];

/** Returns the address of a page: link("/cart"). */
export function link(path) {
  return `${BASE}${path}`;
}

/** Returns the name of a category: that of a department, or its id in words. */
export function categoryName(id) {
  const plain = id.replaceAll("-", " ");
  return DEPARTMENTS.find((one) => one.id === id)?.name ?? plain.charAt(0).toUpperCase() + plain.slice(1);
}

/** Returns the categories from the root down to one: [{id, name, children?}]; empty if it is not among them. */
export function wayTo(categories, id) {
  for (const one of categories ?? []) {
    if (one.id === id) return [one];
    const below = wayTo(one.children, id);
    if (below.length > 0) return [one, ...below];
  }
  return [];
}
