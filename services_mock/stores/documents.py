"""Uploaded documents: small ones are stored, large ones only measured."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from services_mock.data import documents, seed
from services_mock.data.documents import Content
from services_mock.problems import Problem, not_found

MAX_STORED_BYTES = 1024 * 1024
"""Larger documents are measured and forgotten: memory stays flat."""

MAX_DOCUMENTS = 200

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Document:
    """What is known of a document; `is_stored` is whether it can be read again."""

    name: str
    media_type: str
    size: int
    sha256: str | None
    stored_at: str
    is_stored: bool


class Upload:
    """A document that arrives piece by piece."""

    def __init__(self) -> None:
        self.size = 0
        self._digest = hashlib.sha256()
        self._body: bytearray | None = bytearray()

    def add(self, piece: bytes) -> None:
        """Take the next piece."""
        self.size += len(piece)
        if self.size > documents.MAX_SIZE:
            raise Problem(413, "too_large", f"A document has at most {documents.MAX_SIZE} bytes.")
        self._digest.update(piece)
        if self._body is not None:
            self._body += piece
            if self.size > MAX_STORED_BYTES:
                self._body = None

    @property
    def sha256(self) -> str:
        """The hash of all that arrived, in hexadecimal digits."""
        return self._digest.hexdigest()

    @property
    def body(self) -> bytes | None:
        """All that arrived; None if it is too large to be stored."""
        return None if self._body is None else bytes(self._body)


class Documents:
    """The documents of all suppliers: the seeded ones, and the uploaded ones in their place."""

    def __init__(self) -> None:
        self._uploaded: OrderedDict[Key, tuple[Document, Content | None]] = OrderedDict()

    def put(
        self, supplier_id: str, name: str, media_type: str, upload: Upload
    ) -> tuple[Document, bool]:
        """Store an upload; return it, and whether there was none of that name."""
        key, stored_at, body = (supplier_id, name), seed.now(), upload.body
        is_new = key not in self._uploaded and documents.seeded(*key) is None
        content = None if body is None else documents.whole(body, media_type, stored_at)
        document = Document(
            name=name,
            media_type=media_type,
            size=upload.size,
            sha256=upload.sha256,
            stored_at=stored_at,
            is_stored=content is not None,
        )
        self._uploaded[key] = (document, content)
        self._uploaded.move_to_end(key)
        if len(self._uploaded) > MAX_DOCUMENTS:
            self._uploaded.popitem(last=False)
        return document, is_new

    def content(self, supplier_id: str, name: str) -> Content:
        """Return the bytes of a document or raise the problem 404."""
        key = (supplier_id, name)
        if key in self._uploaded:
            content = self._uploaded[key][1]
            if content is None:
                detail = f"{name!r} was too large to be stored: only its size and hash are known."
                raise Problem(404, "not_stored", detail)
            return content
        seeded = documents.seeded(*key)
        if seeded is None:
            raise not_found("document", name)
        return seeded

    def of(self, supplier_id: str) -> list[Document]:
        """Return the documents of a supplier by name."""
        found = {name: _described(supplier_id, name) for name in documents.LISTED}
        found |= {
            name: document
            for (owner, name), (document, _) in self._uploaded.items()
            if owner == supplier_id
        }
        return [found[name] for name in sorted(found)]


def _described(supplier_id: str, name: str) -> Document:
    content = documents.seeded(supplier_id, name)
    if content is None:
        raise not_found("document", name)
    return Document(
        name, content.media_type, content.size, content.sha256, content.stored_at, is_stored=True
    )
