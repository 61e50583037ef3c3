"""A schema with every kind of type, and documents with every kind of selection."""

SCHEMA = '''
scalar DateTime
scalar Money
scalar JSON
scalar UUID

"""
What is sold. A second sentence that is not the first.
"""
interface Node { id: ID! }

enum Status { AVAILABLE "No longer there" SOLD_OUT @deprecated  class }

type Product implements Node {
  id: ID!
  "The title, as \\"shops\\" show it."
  title: String!
  createdAt: DateTime!
  price(currency: String = "EUR"): Money
  status: Status!
  related(first: Int, after: String): ProductConnection!
  attributes: JSON
  tags: [String!]!
  reviews: [Review]
  oldPrice: Int @deprecated(reason: "use price")
  str: String
}
type Bundle implements Node { id: ID! products: [Product!]! discountPercent: Int }
type Review implements Node { id: ID! stars: Int! author: Author }
type Author { name: String! token: UUID }
type ProductEdge { cursor: String! node: Product }
type ProductConnection { edges: [ProductEdge] pageInfo: PageInfo! totalCount: Int }
type PageInfo { hasNextPage: Boolean! endCursor: String }
union SearchResult = Product | Bundle | Review

input ProductFilter { minPrice: Int = 0, statusIn: [Status!], nested: ProductFilter, text: String! }

type Query {
  "One product."
  product(id: ID!): Product
  products(ids: [ID!]!): [Product]!
  catalog(filter: ProductFilter, first: Int, after: String): ProductConnection!
  search(text: String!): [SearchResult!]!
  node(id: ID!): Node
}
type Mutation { rename(id: ID!, title: String!, status: Status): Product }
type Subscription { prices: Int }
'''

DOCUMENTS = {
    "operations/fragments.graphql": """
fragment ProductCard on Product { id title createdAt status ...Price }
fragment Price on Product { price }
fragment AnyNode on Node { id ... on Product { title } }
""",
    "operations/queries.graphql": """
query Product($id: ID!, $withReviews: Boolean! = false) {
  product(id: $id) {
    ...ProductCard
    name: title
    str
    attributes
    tags
    reviews @include(if: $withReviews) { stars author { name token } }
  }
}
query Card($id: ID!) { product(id: $id) { ...ProductCard } }
query ProductsByIds($ids: [ID!]!) { products(ids: $ids) { ...ProductCard } }
query Catalog($filter: ProductFilter, $first: Int = 2, $after: String) {
  catalog(filter: $filter, first: $first, after: $after) {
    edges { node { id title } }
    pageInfo { hasNextPage endCursor }
  }
}
query Search($text: String!) {
  search(text: $text) {
    ... on Node { id }
    ... on Product { title price }
    ... on Bundle { discountPercent products { id } }
  }
}
query Lookup($id: ID!) { node(id: $id) { ...AnyNode } }
""",
    "operations/mutations.graphql": """
mutation Rename($id: ID!, $title: String!, $status: Status) {
  rename(id: $id, title: $title, status: $status) { id title status }
}
""",
}
