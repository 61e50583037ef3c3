"""Documents that a hostile client sends, each as large as the limits or the body admit."""

from graphql import parse

LEAVES = (
    "id title subtitle brand{id name} category{id name} image{alt url} defaultSku "
    "price{price{amount currency} discountPercent} stock{status available} rating{count average}"
)
TOKENS = 500
LENGTH = 19_900
HUGE = 1_000_000
CARD = "products(first: 50) { items { %s } }"


def filled(before: str, unit: str, after: str) -> str:
    """Repeat a unit as often as the parser's limit admits; `#` is its number."""

    def repeated(count: int) -> str:
        return before + " ".join(unit.replace("#", str(n)) for n in range(count)) + after

    alone, three = (parse(repeated(count)).token_count for count in (1, 3))
    return repeated(1 + (TOKENS - alone) * 2 // (three - alone))


def chain(length: int, body: str, end: str) -> str:
    """Return fragments of which each spreads the next; `body` has `@` for the spread."""
    links = (
        f"fragment F{n} on Query {{ {body.replace('@', f'...F{n + 1}')} }}" for n in range(length)
    )
    return " ".join(links) + f" fragment F{length} on Query {{ {end} }}"


DOCUMENTS = {
    "valid but for the last variable": filled(
        '{ product(id: "1") { variants { sku } }',
        "cart { count lines { sku quantity } }",
        "product(id: $x) { id } }",
    ),
    "valid cards but for one variable": (
        "{"
        + " ".join(f"a{n}: products(first: 1) {{ items {{ {LEAVES} }} }}" for n in range(9))
        + "product(id: $x) { id } }"
    ),
    "aliased lists": "{" + " ".join(f"a{n}: {CARD % LEAVES}" for n in range(9)) + "}",
    "one list, again and again": "{" + f"{CARD % LEAVES} " * 9 + "}",
    "lists by a fragment": "fragment F on Query {" + CARD % LEAVES + "} {" + "...F " * 45 + "}",
    "fragments of unknown fields": (
        filled(
            "{ products { items {" + " ".join(f"...F{n}" for n in range(40)) + "} } }",
            "fragment F# on ProductCard { id title a b c d }",
            "",
        )
    ),
    "fragments of one type": (
        filled(
            "{ products { items {" + " ".join(f"...F{n}" for n in range(45)) + "} } }",
            "fragment F# on ProductCard { id title }",
            "",
        )
    ),
    "a chain of fragments": "{ ...F0 }" + chain(58, "@", "viewer { id }"),
    "a chain with fields": "{ ...F0 }" + chain(38, "cart { count } @", "viewer { id }"),
    "a chain that doubles": "{ ...F0 }" + chain(45, "@ @", "viewer { id }"),
    "a chain of home": "{ ...F0 }" + chain(30, "home { viewer { id } } @", "viewer { id }"),
    "a circle of fragments": "{ ...F0 }" + chain(58, "@", "...F0"),
    "circles that are not spread": "{ viewer { id } }" + chain(58, "@", "...F0"),
    "all fragments spread each other": (
        "{ ...F0 }"
        + " ".join(
            f"fragment F{n} on Query {{ {' '.join(f'...F{m}' for m in range(14))} }}"
            for n in range(14)
        )
    ),
    "unknown fragments": filled("{", "...F#", "}"),
    "unused fragments": (
        filled("{ viewer { id } }", "fragment F# on Query { cart { count } }", "")
    ),
    "fragments of one name": filled("{ ...F }", "fragment F on Query { cart { count } }", ""),
    "fragments on unknown types": filled("{ ...F0 }", "fragment F# on T# { a }", ""),
    "the same leaf": filled('{ product(id: "1") {', "title", "} }"),
    "leaves of two names": filled('{ product(id: "1") {', "a: title a: subtitle", "} }"),
    "leaves that differ in arguments": filled("{ cart {", "x(n: #)", "} }"),
    "arguments that are variables": filled("query ($a: Int) {", "x(first: $a)", "}"),
    "inline fragments": filled('{ product(id: "1") {', "... { title }", "} }"),
    "inline fragments with a type": (
        filled('{ product(id: "1") {', "... on Product { title }", "} }")
    ),
    "nested inline fragments": "{" + "... {" * 110 + "cart { count }" + "}" * 111,
    "unknown fields": filled("{", "x#", "}"),
    "unknown fields that nearly are": filled("{", "product#", "}"),
    "unknown fields, nested": "{" + "a {" * 150 + "a" + "}" * 151,
    "unknown arguments": filled("{ product(", "a#: 1", ") { id } }"),
    "arguments of one name": filled("{ product(", "id: 1", ") { id } }"),
    "a long list": filled("{ product(id: [", "1", "]) { id } }"),
    "a list of variables": filled("{ product(id: [", "$a#", "]) { id } }"),
    "a large object": filled("{ product(id: {", "a#: 1", "}) { id } }"),
    "an object of one key": filled("{ product(id: {", "a: 1", "}) { id } }"),
    "nested lists": "{ product(id: " + "[" * 190 + "]" * 190 + ") { id } }",
    "nested objects": "{ product(id: " + "{a: " * 110 + "1" + "}" * 110 + ") { id } }",
    "a list spread many times": (
        "fragment F on Query { products(ids: ["
        + "1 " * 350
        + "]) { total } } {"
        + "...F " * 45
        + "}"
    ),
    "unknown directives": filled("{ viewer", "@a#", "{ id } }"),
    "the same unknown directive": filled("{ viewer", "@a", "{ id } }"),
    "@skip again and again": filled("{ viewer", "@skip(if: true)", "{ id } }"),
    "directives of the operation": filled("query A", "@a#", "{ viewer { id } }"),
    "variables": filled("query (", "$a#: Int", ") { viewer { id } }"),
    "variables of one name": filled("query (", "$a: Int = 1", ") { viewer { id } }"),
    "variables of unknown types": filled("query (", "$a#: T#", ") { viewer { id } }"),
    "variables that are not declared": filled("{", "product(id: $a#) { id }", "}"),
    "operations": filled("", "query A# { viewer { id } }", ""),
    "operations of one name": filled("", "query A { viewer { id } }", ""),
    "anonymous operations": filled("", "{ viewer { id } }", ""),
    "operations over a chain": filled(chain(24, "@", "viewer { id }"), "query A# { ...F0 }", ""),
    "mutations": (
        "mutation {"
        + " ".join(
            f'a{n}: removeCartItem(sku: "a") {{ lines {{ sku product {{ {LEAVES} }} }} }}'
            for n in range(9)
        )
        + "}"
    ),
    "mutations of one name": filled("mutation {", 'removeCartItem(sku: "#") { count }', "}"),
    "subscriptions": filled("subscription {", "a#: x", "}"),
    "introspection": (
        "fragment F on __Type { name fields { name type { name fields { name } } } } {"
        + (" ".join(f"a{n}: __schema {{ types {{ ...F }} }}" for n in range(30)) + "}")
    ),
    "introspection of one type": filled("{", '__type(name: "Query") { fields { name } }', "}"),
    "deep introspection": (
        "{ __schema { types" + " { fields { type" * 60 + "{ name }" + "} }" * 60 + "} }"
    ),
    "depth": "{ orders { items" + " { lines { product" * 60 + "{ id }" + "} }" * 60 + "} }",
    "brackets": "{ a " * 4_000,
    "closing brackets": "{ a }" + "}" * LENGTH,
    "too many tokens": "{ " + "a " * 9_000 + "}",
    "commas": "{ x" + "," * LENGTH + "}",
    "spaces": "{ x" + " " * LENGTH + "}",
    "lines": "{ x" + "\n" * LENGTH + "}",
    "byte order marks": "{ x" + "\ufeff" * LENGTH + "}",
    "unknown fields below many lines": "{" + "\n" * 19_000 + " ".join("abcdefghijkl") + "}",
    "a block string before mistakes": '{ product(id: """\n\r\n\n""") { x\r\n\ty } }',
    "a comment": "{ x #" + "a" * LENGTH + "\n}",
    "comments": "{ x " + "#\n" * 9_000 + "}",
    "a long string": '{ product(id: "' + "a" * LENGTH + '") { x } }',
    "a string of escapes": '{ product(id: "' + "\\n" * 9_900 + '") { x } }',
    "a string of code points": '{ product(id: "' + "\\u{61}" * 3_300 + '") { x } }',
    "a block string": '{ product(id: """' + " a\n" * 6_600 + '""") { x } }',
    "a block string of quotes": '{ product(id: """' + '\\"""' * 4_900 + '""") { x } }',
    "a string without end": '{ product(id: "' + "a" * LENGTH,
    "a long number": "{ products(first: " + "9" * LENGTH + ") { items { id } } }",
    "a long fraction": "{ products(first: 0." + "9" * LENGTH + ") { items { id } } }",
    "a large exponent": "{ products(first: 1e999999999) { items { id } } }",
    "a long name": "{ " + "a" * LENGTH + " }",
    "long names that differ late": "{ " + " ".join("a" * 2_400 + str(n) for n in range(8)) + " }",
    "null bytes": "\0" * LENGTH,
    "emoji": "{ " + "\U0001f600" * LENGTH + "}",
    "types": filled("", "type T# { a: Int }", ""),
    "descriptions": filled("", '"a" query A# { x }', ""),
    "a megabyte": "{ " + "a " * (HUGE // 2) + "}",
    "a megabyte of spaces": " " * HUGE,
}
