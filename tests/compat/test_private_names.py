"""Outside `bff_core/compat` the code uses public names of these libraries only."""

import ast
from functools import cache

import pytest

from tests.compat.promises import COMPAT, DISTRIBUTIONS, ROOT, imported_names

CODE = sorted(
    path
    for folder in ("bff_core", "bffs")
    for path in (ROOT / folder).rglob("*.py")
    if COMPAT not in path.parents
)

PUBLIC = {
    "fastapi": "*",
    "fastapi.encoders": {"jsonable_encoder"},
    "fastapi.exceptions": {"RequestValidationError", "ResponseValidationError"},
    "fastapi.responses": "*",
    "fastapi.routing": {"APIRoute"},
    "fastapi.security": "*",
    "graphql": "*",
    "graphql.language": "*",
    "graphql.validation": "*",
    "joserfc.errors": "*",
    "joserfc.jwk": {"ECKey", "OKPKey", "RSAKey"},
    "opentelemetry.exporter.otlp.proto.common.metrics_encoder": {"encode_metrics"},
    "opentelemetry.exporter.otlp.proto.http.metric_exporter": {"OTLPMetricExporter"},
    "opentelemetry.exporter.otlp.proto.http.trace_exporter": {"OTLPSpanExporter"},
    "opentelemetry.proto.collector.metrics.v1.metrics_service_pb2": "*",
    "opentelemetry.proto.collector.trace.v1.trace_service_pb2": "*",
    "opentelemetry.sdk.metrics.export": "*",
    "opentelemetry.sdk.resources": {"Resource"},
    "opentelemetry.sdk.util.instrumentation": {"InstrumentationScope"},
    "pydantic": "*",
    "pydantic.alias_generators": {"to_camel"},
    "pydantic.fields": {"FieldInfo"},
    "pydantic.json_schema": {"GenerateJsonSchema"},
    "pydantic_core": "*",
    "pydantic_core.core_schema": "*",
    "redis.asyncio": "*",
    "redis.backoff": {"NoBackoff"},
    "redis.exceptions": "*",
    "starlette.concurrency": {"run_in_threadpool"},
    "starlette.convertors": {"Convertor"},
    "starlette.datastructures": "*",
    "starlette.exceptions": "*",
    "starlette.requests": "*",
    "starlette.responses": "*",
    "starlette.routing": {"BaseRoute", "Match", "Mount", "Route", "WebSocketRoute"},
    "starlette.staticfiles": {"StaticFiles"},
    "starlette.types": "*",
    "strawberry": "*",
    "strawberry.extensions": "*",
    "strawberry.schema_directive": {"Location"},
    "strawberry.types": {"ExecutionContext", "ExecutionResult"},
    "websockets.datastructures": {"Headers"},
    "websockets.exceptions": "*",
    "websockets.extensions.permessage_deflate": {"ServerPerMessageDeflateFactory"},
    "websockets.http11": {"Request", "Response"},
    "websockets.protocol": {"OPEN", "State"},
    "websockets.typing": "*",
    "websockets.uri": {"WebSocketURI"},
}
"""What the documentation of each library shows: modules, and all or some of their names."""

NOT_DOCUMENTED = {"fastapi.params", "fastapi.datastructures"}
"""Modules that can be imported from a public one, although nothing documents them."""

OF_PYTHON = {"_current_frames", "_Decompress", "_exit", "_name_", "_value_"}
"""Private by their form, and documented by Python (`sys`, `os`, `enum`) or by stubs (`zlib`)."""

DUNDERS_OF_PYDANTIC = ("__pydantic_", "__get_pydantic_")


def is_public(name: str) -> bool:
    """Whether a library documents a name."""
    module, _, attribute = name.rpartition(".")
    allowed = PUBLIC.get(module or name, ())
    return (
        name not in NOT_DOCUMENTED
        and not attribute.startswith("_")
        and (allowed == "*" or attribute in allowed or not module)
    )


@cache
def trees() -> list[tuple[str, ast.Module]]:
    """Return each module of the code, with its place."""
    return [(str(path.relative_to(ROOT)), ast.parse(path.read_text())) for path in CODE]


def is_single_underscore(name: str) -> bool:
    """Whether a name is private by its form, and is no placeholder."""
    return name.startswith("_") and not name.startswith("__") and len(name.strip("_")) > 1


def own_names() -> set[str]:
    """Return the names that our own code gives to functions, parameters, attributes and slots."""
    found = set()
    for _, tree in trees():
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    found.add(node.name)
                case ast.arg():
                    found.add(node.arg)
                case ast.Name(ctx=ast.Store()):
                    found.add(node.id)
                case ast.Attribute(value=ast.Name(id="self"), ctx=ast.Store()):
                    found.add(node.attr)
                case ast.Constant(value=str(text)):
                    found.add(text)  # of `__slots__`
    return found


@pytest.mark.slow
def test_modules_import_public_names():
    """Each module outside compat imports what its libraries document."""
    private = [
        f"{place}: {name}"
        for place, tree in trees()
        for name in imported_names(tree)
        if not is_public(name)
    ]

    assert private == []


@pytest.mark.slow
def test_no_private_attribute_of_a_library_is_used():
    """An attribute or a keyword with an underscore is one that our own code has given."""
    own, foreign = own_names(), []
    for place, tree in trees():
        for node in ast.walk(tree):
            name = ""
            if isinstance(node, ast.Attribute):
                name = node.attr
            elif isinstance(node, ast.keyword):
                name = node.arg or ""
            if is_single_underscore(name) and name not in own | OF_PYTHON:
                foreign.append(f"{place}:{node.lineno} {name}")

    assert foreign == []


@pytest.mark.slow
def test_texts_and_marks_of_libraries_stand_in_compat():
    """Where compat reads an error's text or a mark of a library, no other module does."""
    known = {
        node.value
        for path in sorted(COMPAT.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_mark(node.value)
    }
    elsewhere = {
        f"{place}:{node.lineno} {node.value}"
        for place, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and (node.value in known or node.value.startswith(DUNDERS_OF_PYDANTIC))
    }

    assert known >= {"strawberry-definition", "Validation aborted.", "__pydantic_validator__"}
    assert elsewhere == set()


def _is_mark(text: str) -> bool:
    is_sentence = "\n" in text or len(text) > 40
    return not is_sentence and (" " in text or "-" in text or "__" in text or "._" in text)


@pytest.mark.parametrize(
    "name",
    [
        "fastapi._compat.ModelField",
        "fastapi.dependencies.utils.get_dependant",
        "fastapi.params",
        "fastapi.routing.iter_route_contexts",
        "graphql.language.parser.Parser",
        "joserfc.jws.JWSRegistry",
        "redis.asyncio.connection.AbstractConnection",
        "starlette.routing.compile_path",
        "starlette._utils.is_async_callable",
        "strawberry.utils.str_converters.to_camel_case",
        "uvicorn.Config",
        "uvicorn.server.ServerState",
    ],
)
def test_the_scan_knows_a_private_name(name):
    """The scan itself can fail: it refuses names that compat imports."""
    assert name.partition(".")[0] in DISTRIBUTIONS
    assert not is_public(name)
