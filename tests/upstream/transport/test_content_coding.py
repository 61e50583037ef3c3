"""BodyDecoder codings: any split, any content, and no more memory than was promised."""

import gzip
import itertools
import random
import tracemalloc
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from bff_core.upstream.transport.content_coding import MAX_CODINGS, decoders
from bff_core.upstream.transport.failures import TooLarge, Undecodable
from bff_core.upstream.transport.reply_body import BodyDecoder

MIB = 1024 * 1024
COMPRESS = {
    b"gzip": gzip.compress,
    b"br": brotli.compress,
    b"zstd": zstandard.ZstdCompressor().compress,
    b"deflate": zlib.compress,
    b"gzip, br": lambda plain: brotli.compress(gzip.compress(plain)),
}


def bomb(coding, size):
    """Compress so many zeros in little memory."""
    if coding == b"br":
        packer = brotli.Compressor(quality=1)
        return b"".join(packer.process(bytes(MIB)) for _ in range(size // MIB)) + packer.finish()
    packer = {
        b"gzip": lambda: zlib.compressobj(wbits=31),
        b"zstd": lambda: zstandard.ZstdCompressor().compressobj(),
        b"deflate": zlib.compressobj,
    }[coding]()
    return b"".join(packer.compress(bytes(MIB)) for _ in range(size // MIB)) + packer.flush()


def decode(coding, *parts):
    """Decode parts that arrive one by one."""
    content = BodyDecoder(coding, None)
    plain = b"".join(piece for part in parts for piece in content.decode(part))
    content.end()
    return plain


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(COMPRESS)), st.binary(max_size=2000), st.integers(1, 400), st.data())
def test_any_split_decodes_to_the_same(coding, seed, repeats, data):
    """However the network cuts a body, the same comes out."""
    plain = seed * repeats
    coded = COMPRESS[coding](plain)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(coded)), max_size=8)))
    edges = [0, *cuts, len(coded)]

    assert decode(coding, *(coded[a:b] for a, b in itertools.pairwise(edges))) == plain


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(COMPRESS)), st.binary(min_size=1, max_size=300), st.data())
def test_a_cut_body_is_never_taken_for_a_whole_one(coding, plain, data):
    """A body that lacks its end, however little, is refused."""
    coded = COMPRESS[coding](plain)
    length = data.draw(st.integers(1, len(coded) - 1))

    with pytest.raises(Undecodable):
        decode(coding, coded[:length])


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(COMPRESS)), st.binary(max_size=200), st.data())
def test_damage_is_refused_or_decodes_within_the_cap(coding, plain, data):
    """Random damage never raises anything but our own refusals."""
    coded = bytearray(COMPRESS[coding](plain))
    for _ in range(data.draw(st.integers(1, 4))):
        coded[data.draw(st.integers(0, len(coded) - 1))] = data.draw(st.integers(0, 255))
    content = BodyDecoder(coding, MIB)

    try:
        decoded = b"".join(content.decode(bytes(coded)))
        content.end()
    except (Undecodable, TooLarge):
        decoded = b""

    assert len(decoded) <= MIB


@pytest.mark.parametrize("coding", [b"br", b"deflate", b"gzip", b"zstd"])
def test_a_bomb_stops_at_the_cap_with_memory_flat(coding):
    """Very many zeros in very few bytes cost no more than the cap and a piece."""
    coded = bomb(coding, 128 * MIB)
    content = BodyDecoder(coding, 8 * MIB)

    tracemalloc.start()
    with pytest.raises(TooLarge):
        sum(map(len, content.decode(coded)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(coded) < MIB
    assert peak < 24 * MIB


def test_gzip_of_several_members_is_one_body():
    """Members follow each other; what follows them and is none is refused."""
    members = gzip.compress(b"one ") + gzip.compress(b"") + gzip.compress(b"two")

    assert decode(b"gzip", members) == b"one two"
    with pytest.raises(Undecodable):
        decode(b"gzip", members + b"more")


def test_zstd_of_several_frames_is_one_body():
    """Frames follow each other, also within one slice."""
    compress = COMPRESS[b"zstd"]

    assert decode(b"zstd", compress(b"one ") + compress(b"two")) == b"one two"


def test_zstd_that_wants_a_huge_window_is_refused():
    """A frame may ask for gigabytes of memory; it gets 8 MiB."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    coded = packer.compress(bytes(MIB)) + packer.flush()

    with pytest.raises(Undecodable, match="memory"):
        decode(b"zstd", coded)


def raw_deflate(plain):
    """Compress without zlib's header and checksum."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(plain) + packer.flush()


@pytest.mark.parametrize("level", range(10))
@pytest.mark.parametrize("pack", [zlib.compress, None])
def test_deflate_is_read_with_zlibs_header_and_without(pack, level):
    """RFC 9110 wants the header, old servers leave it out; one byte at a time decides as well."""
    plain = b'{"id": "7"}' * 50
    packer = zlib.compressobj(level, wbits=15 if pack else -15)
    coded = packer.compress(plain) + packer.flush()

    assert decode(b"deflate", coded) == plain
    assert decode(b"deflate", *(coded[n : n + 1] for n in range(len(coded)))) == plain


@pytest.mark.parametrize("pack", [zlib.compress, raw_deflate])
def test_deflate_that_is_cut_or_goes_on_is_refused(pack):
    """Nothing is taken for a whole body that is none."""
    coded = pack(b"whole")

    for parts in ((coded + b"x",), (coded, b"x"), (coded[:-1],), (b"\x00",), (b"nonsense",)):
        with pytest.raises(Undecodable):
            decode(b"deflate", *parts)


def test_stacked_codings_are_undone_last_first():
    """The list names them in the order in which they were applied (RFC 9110, section 8.4)."""
    coded = zlib.compress(brotli.compress(gzip.compress(b"plain")))

    assert decode(b"gzip, br, deflate", coded) == b"plain"
    with pytest.raises(Undecodable):
        decode(b"deflate, br, gzip", coded)


def test_a_long_list_of_codings_is_refused():
    """Each coding costs time for every byte."""
    coded = b"plain"
    for _ in range(MAX_CODINGS):
        coded = gzip.compress(coded)

    assert decode(b", ".join([b"gzip"] * MAX_CODINGS), coded) == b"plain"
    with pytest.raises(Undecodable, match="more than 5 content codings"):
        decode(b", ".join([b"gzip"] * (MAX_CODINGS + 1)), gzip.compress(coded))


@pytest.mark.parametrize("outer", [b"br", b"deflate", b"gzip", b"zstd"])
def test_a_bomb_within_a_bomb_stops_at_the_cap(outer):
    """What the outer coding expands is capped, whatever the inner one makes of it."""
    inner = bomb(b"gzip", 64 * MIB)
    content = BodyDecoder(b"gzip, " + outer, MIB)

    tracemalloc.start()
    with pytest.raises(TooLarge):
        sum(map(len, content.decode(COMPRESS[outer](inner))))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 24 * MIB


@pytest.mark.parametrize("cap", [MIB, None])
def test_an_inner_coding_that_decodes_to_nothing_is_refused(cap):
    """A few kilobytes that expand to empty blocks would keep the loop busy, in streams, too."""
    packer = zlib.compressobj(wbits=31)
    head = packer.compress(b"") + packer.flush(zlib.Z_SYNC_FLUSH)
    hollow = head + b"\x00\x00\x00\xff\xff" * (4 * MIB)
    content = BodyDecoder(b"gzip, gzip", cap)

    with pytest.raises(TooLarge):
        sum(map(len, content.decode(gzip.compress(hollow, 9))))


def test_an_uncapped_stream_of_two_codings_may_be_long():
    """What decodes to something has no bound that its author did not set."""
    plain = random.Random(5).randbytes(12 * MIB)
    coded = gzip.compress(gzip.compress(plain, 1), 1)

    assert decode(b"gzip, gzip", coded) == plain


def test_brotli_with_data_after_its_end_is_refused():
    """Nothing follows a brotli stream, whether it comes at once or later."""
    coded = brotli.compress(b"whole")

    for parts in ((coded + b"x",), (coded, b"x")):
        with pytest.raises(Undecodable):
            decode(b"br", *parts)


@pytest.mark.parametrize("coding", sorted(COMPRESS))
def test_an_empty_body_needs_no_coding(coding):
    """A service that names a coding and sends nothing sent nothing."""
    assert decode(coding) == b""
    assert decode(coding, b"") == b""


def test_an_unknown_coding_is_refused():
    """There is no guessing."""
    with pytest.raises(Undecodable, match="unknown content coding 'compress'"):
        decoders(b"gzip, compress")


HOLLOW = {
    "gzip of nothing": (b"gzip", gzip.compress(b"")),
    "gzip of a byte": (b"gzip", gzip.compress(b"x")),
    "zstd of nothing": (b"zstd", zstandard.compress(b"")),
    "zstd of a byte": (b"zstd", zstandard.compress(b"x")),
    "zstd to be skipped": (b"zstd", b"\x50\x2a\x4d\x18\x00\x00\x00\x00"),
}


@pytest.mark.parametrize("part", HOLLOW)
def test_many_almost_empty_parts_are_refused(part):
    """Megabytes of empty members or frames would keep the loop busy and never reach a cap."""
    coding, one = HOLLOW[part]

    with pytest.raises(Undecodable, match="almost empty"):
        decode(coding, one * 10_000)


@pytest.mark.parametrize("coding", [b"gzip", b"zstd"])
def test_a_body_may_have_many_parts_that_hold_something(coding):
    """As block-wise compressed files do."""
    parts = [COMPRESS[coding](b"x" * 2000)] * 2000

    assert decode(coding, b"".join(parts)) == b"x" * 4_000_000


def test_padding_without_end_is_cut_at_the_cap():
    """Empty blocks in one member decode to nothing, and are counted as they come."""
    packer = zlib.compressobj(wbits=31)
    head = packer.compress(b"") + packer.flush(zlib.Z_SYNC_FLUSH)
    content = BodyDecoder(b"gzip", MIB)

    taken = list(content.decode(head))
    with pytest.raises(TooLarge, match="far more than"):
        taken += [list(content.decode(b"\x00\x00\x00\xff\xff" * 10_000)) for _ in range(100)]

    assert taken == []


@pytest.mark.parametrize("coding", sorted(COMPRESS))
def test_a_body_of_the_cap_that_does_not_shrink_is_accepted(coding):
    """Its coding makes it a little larger than it is."""
    plain = random.Random(3).randbytes(MIB)
    coded = COMPRESS[coding](plain)
    content = BodyDecoder(coding, MIB)

    decoded = b"".join(content.decode(coded))
    content.end()

    assert len(coded) > MIB
    assert decoded == plain
