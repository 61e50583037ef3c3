"""What a mock answers: to reads, to changes that it remembers, and to requests for errors."""

from collections.abc import Callable, Mapping

from bff_core.contracts.document import Content, HttpOperation
from bff_core.contracts.types import Json
from bff_core.mocks.error_bodies import error_body
from bff_core.mocks.list_answers import list_of
from bff_core.mocks.listing import identity_of, listing_of
from bff_core.mocks.pages import PAGED_ITEMS
from bff_core.mocks.problems import Refusal, phrase
from bff_core.mocks.request_checks import may_be_json
from bff_core.mocks.resources import MadeAnswer, MockExchange, MockResources, below


class MockAnswers:
    """Makes the bodies of the answers of a contract, and remembers what clients have changed.

    `has_item` says whether the contract has a path below the template of another, and `is_list`
    whether a template can be read and answers with a list.
    """

    def __init__(
        self,
        resources: MockResources,
        has_item: Callable[[str], bool],
        is_list: Callable[[str], bool],
    ) -> None:
        self._resources = resources
        self._values = resources.values
        self._memory = resources.memory
        self._has_item = has_item
        self._is_list = is_list

    def success(self, exchange: MockExchange, content: Content | None, example: str) -> MadeAnswer:
        """Return the answer to a request; raise a 404 for a resource that was deleted."""
        method = exchange.operation.method.upper()
        if method != "PUT" and self._memory.is_deleted(exchange.path):
            raise Refusal(404, f"{exchange.path} was deleted")
        if example:
            return MadeAnswer(_named(exchange.operation, content, example))
        if method == "DELETE":
            return self._deleted(exchange, content)
        if method in {"PUT", "PATCH"}:
            return self._changed(exchange, content)
        if self._is_new(exchange, content) and isinstance(exchange.body, dict):
            return self._created(exchange, content, exchange.body)
        return self._read(exchange, content)

    def failure(self, content: Content, refusal: Refusal, example: str, *, is_wanted: bool) -> Json:
        """Return the body of an error, as the contract describes it.

        It says what happened, unless the client wanted it (`is_wanted`) and it has an example.
        """
        if example:
            return _example(content, f"the {refusal.status}", example)
        known = self._resources.examples(content)
        if known and is_wanted:
            return known[0]
        key = f"status/{refusal.status}"
        made = known[0] if known else self._values.make(content.type, key, phrase(refusal.status))
        filled = error_body(made, content.type, refusal, self._values)
        return filled if self._resources.is_valid(content, filled) else made

    def _is_new(self, exchange: MockExchange, content: Content | None) -> bool:
        """Whether a request adds to a collection: one with items below, or one that can be read."""
        if exchange.operation.method.upper() != "POST":
            return False
        if self._has_item(exchange.operation.path):
            return True
        is_list = content is not None and listing_of(content.type, self._values) is not None
        return self._is_list(exchange.operation.path) and not is_list

    def _read(self, exchange: MockExchange, content: Content | None) -> MadeAnswer:
        if content is None:
            return MadeAnswer(None)
        if not may_be_json(content.media_type):
            made = self._values.make(content.type, exchange.path, "text")
            return MadeAnswer(next(iter(content.examples.values()), made))
        listing = listing_of(content.type, self._values)
        if listing is not None:
            return list_of(exchange, content, listing, self._resources)
        return MadeAnswer(self._resources.single(exchange, content))

    def _deleted(self, exchange: MockExchange, content: Content | None) -> MadeAnswer:
        made = self._read(exchange, content)
        if exchange.operation.path.endswith("}"):
            self._memory.delete(exchange.path)
            if len(exchange.in_path) == 1:  # /ratings/7 is /products/1/ratings/7, too
                start, noun, id_ = exchange.path.rsplit("/", 2)
                self._memory.delete_below(f"{start}/", f"/{noun}/{id_}")
        return made

    def _created(
        self, exchange: MockExchange, content: Content | None, body: Mapping[str, Json]
    ) -> MadeAnswer:
        has_reply = content is not None and may_be_json(content.media_type)
        made: Json = None
        value: dict[str, Json] = {}
        known = len(self._memory.below(exchange.path))
        number, identity = exchange.first_number + known + PAGED_ITEMS, ""
        if content is not None and has_reply:
            base = self._resources.single(exchange, content)
            made = self._resources.merged(base, dict(body), content.type)
            identity = identity_of(content.type, self._values)
            value = made if isinstance(made, dict) else {}
            own = self._values.fields(content.type).get(identity)
            if own is not None and value and identity not in body:
                id_ = self._values.identifier(own.type, number)
                made = value = value if id_ is None else {**value, identity: id_}
        path = below(exchange.path, value.get(identity, number))
        stored = {**body, **value}
        self._memory.put(path, stored)
        flat = exchange.flat_collection
        if flat and not self._has_item(exchange.operation.path) and self._has_item(flat):
            path = below(flat, value.get(identity, number))
            self._memory.put(path, stored)
        return MadeAnswer(made, location=path)

    def _changed(self, exchange: MockExchange, content: Content | None) -> MadeAnswer:
        stored = self._memory.get(exchange.path)
        if isinstance(exchange.body, dict):
            before = stored if isinstance(stored, dict) else {}
            self._memory.put(exchange.path, {**before, **exchange.body})
        if content is None or not may_be_json(content.media_type):
            return self._read(exchange, content)
        return MadeAnswer(self._resources.single(exchange, content))


def _named(operation: HttpOperation, content: Content | None, name: str) -> Json:
    if content is None:
        raise Refusal(400, f"Prefer: example={name}: {operation.name} has no body")
    return _example(content, operation.name, name)


def _example(content: Content, where: str, name: str) -> Json:
    if name not in content.examples:
        known = ", ".join(content.examples) or "none"
        raise Refusal(400, f"Prefer: example={name}: the examples of {where} are: {known}")
    return content.examples[name]
