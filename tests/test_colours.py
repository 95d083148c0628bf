"""Are classes told apart by all eyes, in grey, and is all text read? Computed from the styles."""

import re
from importlib.resources import files
from itertools import combinations

import numpy as np
import pytest

from pinghu_geo.deliver.mapdata import NOT_TASKS
from pinghu_geo.deliver.styles import AMBER, CLASS_LOOKS, MAP_LOOKS, RED

# Machado, Oliveira, Fernandes (2009), A physiologically-based model for simulation of color vision
# deficiency, IEEE TVCG 15(6), severity 1.0; on linear RGB.
EYES = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
    "trichromacy": np.eye(3).tolist(),
}  # fmt: skip
# sRGB to XYZ, D65 (IEC 61966-2-1)
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    parts = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(colour, eye="trichromacy"):
    seen = np.clip(np.array(EYES[eye]) @ linear(colour), 0, 1)
    t = XYZ @ seen / (XYZ @ np.ones(3))
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def ciede2000(one, other):
    """Sharma, Wu, Dalal (2005), The CIEDE2000 color-difference formula."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(mean**7 / (mean**7 + 25.0**7)))
    c1, c2 = np.hypot((1 + g) * a1, b1), np.hypot((1 + g) * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, (1 + g) * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    lm, cm = (l1 + l2) / 2, (c1 + c2) / 2
    hm = h1 + h2 if c1 * c2 == 0 else (h1 + turn / 2) % 360
    t = (1 - 0.17 * np.cos(np.radians(hm - 30)) + 0.24 * np.cos(np.radians(2 * hm))
         + 0.32 * np.cos(np.radians(3 * hm + 6)) - 0.20 * np.cos(np.radians(4 * hm - 63)))  # fmt: skip
    sl = 1 + 0.015 * (lm - 50) ** 2 / np.sqrt(20 + (lm - 50) ** 2)
    sc, sh = 1 + 0.045 * cm, 1 + 0.015 * cm * t
    rt = (-2 * np.sqrt(cm**7 / (cm**7 + 25.0**7))
          * np.sin(np.radians(60 * np.exp(-(((hm - 275) / 25) ** 2)))))  # fmt: skip
    return np.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rt * dc / sc * dh / sh)


def contrast(one, other):
    """WCAG 2.1, relative luminance and contrast ratio."""
    light, dark = sorted((float(XYZ[1] @ linear(c)) for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("one", "other", "published"),
    [  # of the 34 pairs that Sharma et al. publish to test implementations
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_measure_is_the_published_one(one, other, published):
    assert ciede2000(one, other) == pytest.approx(published, abs=1e-4)


@pytest.mark.parametrize("eye", EYES)
def test_stages_are_told_apart_by_all_eyes_and_in_grey(eye):
    for (_, a), (_, b) in combinations(CLASS_LOOKS.items(), 2):
        assert ciede2000(lab(a.fill, eye), lab(b.fill, eye)) >= 10
        assert abs(lab(a.fill)[0] - lab(b.fill)[0]) >= 10  # lightness: what a grey print keeps


@pytest.mark.parametrize("eye", EYES)
def test_classes_of_the_map_are_told_apart_by_fill_or_hatch(eye):
    # a map is of a campaign, whose tasks are of five stages, or of houses by how much lies within
    for names in ([*CLASS_LOOKS, *NOT_TASKS], ["full", "partial", "retain", "review"]):
        pairs = combinations([MAP_LOOKS[name] for name in names], 2)
        assert all(told_apart(a, b, eye) for a, b in pairs)


def told_apart(a, b, eye):
    """By fill, in grey, too; or by hatch."""
    far = ciede2000(lab(a.fill, eye), lab(b.fill, eye)) >= 10
    grey = abs(lab(a.fill)[0] - lab(b.fill)[0]) >= 10
    return (far and grey) or a.hatch != b.hatch


def test_hatches_are_seen_on_their_fills_and_stages_are_the_same_everywhere():
    for one in MAP_LOOKS.values():
        # WCAG 2.1, 1.4.11: what isn't text needs 3 : 1
        assert not one.hatch or contrast(one.fill, one.ink) >= 3
    for name, look in CLASS_LOOKS.items():
        assert look.fill == MAP_LOOKS[name].fill
        assert contrast(look.fill, look.ink) >= 4.5
    for signal in (RED, AMBER):  # frames on the board's ground
        assert contrast(signal, "#ffffff") >= 3
    assert contrast(RED, "#ffffff") >= 4.5


def test_text_of_the_map_is_read_on_its_ground():
    css = (files("pinghu_geo") / "deliver" / "pages" / "map.css").read_text("utf-8")
    whole = lambda c: c if len(c) == 7 else "#" + "".join(2 * s for s in c[1:])  # noqa: E731
    seen = 0
    for rule in re.findall(r"\{([^{}]*)\}", css):
        said = dict(p.split(":", 1) for p in rule.replace("\n", "").split(";") if ":" in p)
        said = {k.strip(): v.strip() for k, v in said.items()}
        ink = re.fullmatch(r"#[0-9a-f]{3,6}", said.get("color", ""))
        if not ink:
            continue
        ground = re.match(r"#[0-9a-f]{6}|#[0-9a-f]{3}\b", said.get("background", "#f3f3f0"))
        # where the ground is another's it is white or nearly so
        assert contrast(whole(ink[0]), whole(ground[0] if ground else "#f3f3f0")) >= 4.5, rule
        seen += 1
    assert seen >= 8
