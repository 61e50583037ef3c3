"""The pages that each browser test opens: a name for pictures, and the address. Add yours here."""

PAGES = {
    "overview": "/console",
    "overview-table": "/console/overview?view=table",
    "requests": "/console/requests/317787c320d9",
    "requests-headers": "/console/requests/317787c320d9?tab=headers",
    "requests-compare": "/console/requests/317787c320d9?compare=6d2f90ac8e01",
    "logs": "/console/logs",
    "screens": "/console/screens/Home",
    "screens-without-matrix": "/console/screens/ProductPage?product_id=8",
    "upstreams": "/console/upstreams",
    "faults": "/console/faults",
    "api": "/console/api?gateway=mobile",
    "api-graphql": "/console/api?gateway=web",
    "api-proxy": "/console/api?gateway=web&kind=proxy",
    "sessions": "/console/sessions",
}
