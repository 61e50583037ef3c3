"""The tones of each colour: what a picture in that colour is painted with."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

Rgb = tuple[int, int, int]

# id, name for readers, then: background, body, shade, dark details, highlight.
_COLOURS = """
BLK black      #E3E6EA #434B55 #2E353D #14181D #98A3AF
WHT white      #9DAFC1 #F8FAFB #DCE4EC #5C6E80 #C3D0DC
GRY slate      #E6E9ED #7B8794 #5C6774 #39414B #CFD6DE
NAV navy       #DFE6F0 #3F5F92 #2C4773 #1B2C4A #A9C0E4
SKY sky        #E1EEF9 #559FD8 #3B81BC #1D507D #C6E3F8
PTL petrol     #DBECEC #2B7F87 #1C626A #0F3E44 #9ED3D6
GRN moss       #E3ECDD #5F8F4C #477338 #2B4A22 #BFDDB0
OLV olive      #EDEDD9 #8A8A45 #6C6B2F #43421A #D6D59C
SND sand       #F1E9DC #BF9E75 #A18059 #654C2C #EBDABF
BRN chestnut   #F0E4DC #8A5236 #6B3C25 #432314 #D3AB93
RST rust       #F7E5DA #C4673A #9F4D27 #652E14 #F2BE9E
RED cherry     #FAE1E3 #CC3545 #A22433 #67141F #F4A7AE
BRY blackberry #F0E0EA #8E4474 #6F305A #471C39 #DDAACB
YLW mustard    #F9F0D8 #D99F22 #B27F17 #674A0F #FBE3A2
CRL coral      #FCE6DF #E9765C #C95A43 #843526 #FFD0C4
ECR ecru       #BAA88B #F7F0E1 #E4D8BF #7A6846 #D2C2A1
"""

_METALS = {"WHT": ("#E9EEF3", "#6A7C90"), "ECR": ("#ECEDEE", "#77808A")}
_METAL = ("#B1BCC7", "#8390A0")
_ACCENTS = ("#F4B63F", "#E4603F", "#F6F1E7", "#2F363E", "#3E8FC4", "#4E9A6B")
_LEAST_CONTRAST = 1.5


class Tone(NamedTuple):
    """The paints of one colour by name, each as `#RRGGBB`, and the accents that go with it."""

    paints: Mapping[str, str]
    accents: tuple[str, ...]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2, contrast ratio)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mixed(one: str, other: str, share: float) -> str:
    """Return a colour with a share of another mixed in; 0 is the first, 1 the second."""
    pairs = zip(_rgb(one), _rgb(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in pairs)


def _rgb(colour: str) -> Rgb:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in _rgb(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _tone(colour: str, painted: Sequence[str]) -> Tone:
    background, body, shade, dark, light = painted
    metal, metal_shade = _METALS.get(colour, _METAL)
    paints = {
        "bg": background,
        "bg2": mixed(background, body, 0.13),
        "sh": mixed(background, dark, 0.17),
        "a": body,
        "b": shade,
        "c": dark,
        "hi": light,
        "m": metal,
        "n": metal_shade,
        "k": "#2F363E",
        "glow": "#FFDC7C",
    }
    accents = (*_ACCENTS, light, dark)
    return Tone(paints, tuple(x for x in accents if contrast(x, body) >= _LEAST_CONTRAST))


def _tones() -> dict[str, Tone]:
    tones: dict[str, Tone] = {}
    for line in _COLOURS.split("\n")[1:-1]:
        colour, _name, *paints = line.split()
        tones[colour] = _tone(colour, paints)
    return tones


TONES: Mapping[str, Tone] = _tones()
"""The tones by the id of their colour, such as `RST`."""
