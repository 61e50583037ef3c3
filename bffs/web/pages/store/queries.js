// The GraphQL documents: one query for each page, so that a page is one request.
// Signed out, `$mine` is false, and nothing is requested that needs a customer.

const MONEY = "{ amount currency }";
const PRICE = `price { price ${MONEY} listPrice ${MONEY} discountPercent }`;

const CARD = `fragment Card on ProductCard {
  id title image { alt url(width: 320) } ${PRICE} stock { status available standardDelivery { minDays maxDays } } rating { average count }
}`;

const TOTALS = `{ subtotal ${MONEY} shipping ${MONEY} tax ${MONEY} total ${MONEY} }`;

const CART_LINES = `fragment Lines on Cart {
  count currency totals ${TOTALS}
  lines { sku quantity variant image { url(width: 320) } unitPrice ${MONEY} product { id title stock { status available variants { sku status available } } } }
}`;

const ORDER = `fragment Bought on Order {
  id number status placedAt totals ${TOTALS}
  lines { sku title quantity unitPrice ${MONEY} total ${MONEY} product { id image { alt url(width: 320) } } }
  payment { status amount ${MONEY} refunded ${MONEY} method { label kind } }
}`;

export const HOME = `query Home($deals: Int!, $picks: Int!) {
  home {
    viewer { givenName loyalty { tier points pointsToNext } }
    cart { count }
    orders(first: 1) { id number status placedAt totals { total ${MONEY} } }
    deals(first: $deals) { id price ${MONEY} listPrice ${MONEY} discountPercent product { ...Card } }
    picks(first: $picks) { trackingId product { ...Card } }
  }
}
${CARD}`;

export const WELCOME = `query Welcome($first: Int!) {
  products(first: $first) { items { ...Card } }
  categories { id name image { url(width: 320) } }
}
${CARD}`;

export const PRODUCT = `query Product($id: ID!, $mine: Boolean!) {
  product(id: $id) {
    id title subtitle description defaultSku
    brand { name } category { id name }
    images { alt url(width: 640) }
    attributes { label value unit }
    options { name label values { id label } }
    variants { sku imageIndex options { name value } }
    ${PRICE}
    variantPrices { sku price ${MONEY} }
    delivery { method minDays maxDays price ${MONEY} }
    stock { status available variants { sku status available } }
    rating { average count }
    reviews(first: 6) { id author { name } rating title body createdAt }
    related(first: 4) { ...Card }
  }
  cart @include(if: $mine) { count lines { sku quantity } }
}
${CARD}`;

export const PRODUCTS = `query Products($search: String!, $category: String!, $first: Int!, $after: String!, $mine: Boolean!) {
  products(search: $search, category: $category, first: $first, after: $after) { total nextCursor items { ...Card } }
  categories { id name children { id name children { id name } } }
  cart @include(if: $mine) { count }
}
${CARD}`;

export const MORE_PRODUCTS = `query MoreProducts($search: String!, $category: String!, $first: Int!, $after: String!) {
  products(search: $search, category: $category, first: $first, after: $after) { total nextCursor items { ...Card } }
}
${CARD}`;

export const CART = `query Cart { cart { ...Lines } }
${CART_LINES}`;

export const CHECKOUT = `query Checkout { cart { ...Lines } home { paymentMethods { id kind label last4 } } }
${CART_LINES}`;

export const ORDERS = `query Orders($first: Int!, $after: String!) {
  orders(first: $first, after: $after) {
    total nextCursor
    items { id number status placedAt totals { total ${MONEY} } lines { quantity title product { id image { alt url(width: 160) } } } }
  }
  cart { count }
}`;

export const MORE_ORDERS = `query MoreOrders($first: Int!, $after: String!) {
  orders(first: $first, after: $after) {
    total nextCursor
    items { id number status placedAt totals { total ${MONEY} } lines { quantity title product { id image { alt url(width: 160) } } } }
  }
}`;

export const ONE_ORDER = `query OneOrder($id: ID!) { order(id: $id) { ...Bought } cart { count } }
${ORDER}`;

export const CART_CONTENT = "query CartContent { cart { count lines { sku quantity } } }";

export const ADD = `mutation Add($sku: String!, $quantity: Int!) {
  setCartItem(sku: $sku, quantity: $quantity) { count lines { sku quantity } }
}`;

export const SET = `mutation SetQuantity($sku: String!, $quantity: Int!) {
  setCartItem(sku: $sku, quantity: $quantity) { ...Lines }
}
${CART_LINES}`;

export const REMOVE = `mutation Remove($sku: String!) { removeCartItem(sku: $sku) { ...Lines } }
${CART_LINES}`;

export const BUY = `mutation Buy($method: ID!) {
  checkout(paymentMethodId: $method) { id number status totals { total ${MONEY} } lines { quantity } }
}`;
