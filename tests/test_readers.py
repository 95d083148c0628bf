"""What a fuzzer found in the readers' own parsers, and its corpus again (benchmarks/readers_fuzz)."""

import pandas as pd
import pytest
import readers

import pinghu_geo as pg

HEAD = "0\nSECTION\n2\nHEADER\n0\nENDSEC\n0\nSECTION\n2\nTABLES\n"


@pytest.mark.parametrize("name", readers.PARSERS)
def test_every_input_that_was_kept_is_read_or_refused_in_a_sentence(name):
    for raw in [*readers.SEEDS[name], *readers.corpus(name)]:
        try:
            readers.PARSERS[name](raw)
        except pg.PinghuError as fault:
            assert str(fault)  # noqa: PT017 - either is right


@pytest.mark.parametrize(
    "flags", ["x1", "--1", "+-1", "1" * 5000, "", "1.0"], ids=lambda flags: flags[:3] or "none"
)
def test_flags_of_a_layer_that_are_no_number_freeze_nothing(flags):
    from pinghu_geo.intake.drawing import _hidden_handles_and_layers

    said = (HEAD + f"0\nLAYER\n2\nA\n70\n{flags}\n0\nENDSEC\n").encode()
    assert _hidden_handles_and_layers(said.split(b"\n")) == (set(), [])


@pytest.mark.parametrize("flags", ["1", "+1", "-1", "00065"])
def test_flags_of_a_frozen_layer_are_read_with_their_sign(flags):
    from pinghu_geo.intake.drawing import _hidden_handles_and_layers

    said = (HEAD + f"0\nLAYER\n2\nA\n70\n{flags}\n0\nENDSEC\n").encode()
    assert _hidden_handles_and_layers(said.split(b"\n")) == (set(), [b"A"])


@pytest.mark.parametrize(
    "rest", ["0\nLAYER\n2\nA\n70\nx1\n0\nENDSEC\n", "0\nLAYER\n2\nA\n70\n1\n0"]
)
def test_a_drawing_with_odd_flags_or_cut_off_is_no_crash(tmp_path, rest):
    from pinghu_geo.intake.drawing import _hidden_handles_and_layers

    _, layers = _hidden_handles_and_layers((HEAD + rest).encode().split(b"\n"))
    assert layers == ([] if "x1" in rest else [b"A"])
    (tmp_path / "a.dxf").write_text(HEAD + rest)
    with pytest.raises(pg.PinghuError):
        pg.read_layer(tmp_path / "a.dxf", "buildings", row_ids=True, crs=4547)


@pytest.mark.parametrize("kind", ["no index", "odd length", "wide field"])
def test_a_shapefile_whose_parts_are_spoilt_is_read_or_refused_in_words(tmp_path, kind):
    rivers = pg.read_layer(pg.sample_folder() / "河道.shp", "rivers")
    path = tmp_path / "r.shp"
    pg.write_layer(rivers, path, "rivers")
    if kind == "no index":
        path.with_suffix(".shx").write_bytes(path.with_suffix(".shx").read_bytes()[:60])
    elif kind == "odd length":
        path.write_bytes(path.read_bytes() + b"\0")
    else:
        raw = bytearray(path.with_suffix(".dbf").read_bytes())
        raw[48] = 255  # the first field's width
        path.with_suffix(".dbf").write_bytes(raw)
    if kind == "wide field":
        with pytest.raises(pg.errors.LayerError, match="damaged: its fields take"):
            pg.read_layer(path, "rivers")
    else:
        assert pg.read_layer(path, "rivers").index.tolist() == rivers.index.tolist()


SOUND = readers.HECRAS.partition(b"\0")


def hecras(tmp_path, old=b"", new=b"", flow=None):
    text = SOUND[0].replace(old, new, 1) if old else SOUND[0]
    assert not old or old in SOUND[0] + SOUND[2]
    (tmp_path / "a.g01").write_bytes(b"Geom Title=a\n" + text)
    (tmp_path / "a.f01").write_bytes(b"Flow Title=a\n" + SOUND[2].replace(old, new, 1))
    flow = tmp_path / "a.f01" if flow else None
    return pg.read_hecras(tmp_path / "a.g01", flow, units="SI")


def test_what_a_model_leaves_out_may_have_no_name_at_all(tmp_path):
    read = hecras(tmp_path, b"Node Name=bridge\n", b"")
    assert "bridge" in read.structures["kind"].tolist() + read.left_out["kind"].tolist()
    assert pd.api.types.is_string_dtype(read.sections["left_out"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b",500,500,500", b",500,x,500"),
        (b"#Sta/Elev= 4", b"#Sta/Elev= 1e999"),
        (b"#Sta/Elev= 4", b"#Sta/Elev= x"),
        (b"Number of Profiles= 1", b"Number of Profiles= one"),
        (b"Dn Type= 3", b"Dn Type= three"),
        (b"     -10     5.5", b"     -10     abc"),
    ],
)
def test_a_place_of_a_model_that_holds_no_number_is_said(tmp_path, old, new):
    with pytest.raises(pg.errors.LayerError, match="can't be read"):
        hecras(tmp_path, old, new, flow=True)


def test_a_count_beyond_the_file_costs_no_memory(tmp_path):
    with pytest.raises(pg.errors.LayerError, match="can't be read"):
        hecras(tmp_path, b"#Sta/Elev= 4", b"#Sta/Elev= 999999999")


class _OfOurs:
    __module__ = "pinghu_geo.intake.formats"


def _slips():
    return {
        "a name": lambda: no_such_name,  # noqa: F821
        "of a module": lambda: readers.no_such_thing,
        "of our object": lambda: _OfOurs().no_such_field,
    }


@pytest.mark.parametrize("kind", _slips())
def test_a_mistake_in_our_own_lines_is_never_said_of_the_file(kind, tmp_path, monkeypatch):
    from pinghu_geo.intake import formats

    pg.write_layer(
        pg.read_layer(pg.sample_folder() / "河道.shp", "rivers"), tmp_path / "r.parquet", "rivers"
    )
    slip = _slips()[kind]
    code = slip.__code__
    as_ours = type(slip)(code, globals() | {"__name__": "pinghu_geo.intake.formats"})
    monkeypatch.setattr(formats, "_read_parquet", lambda *_: as_ours())
    with pytest.raises((NameError, AttributeError)):
        pg.read_layer(tmp_path / "r.parquet", "rivers")
    # the same of a library: what a damaged file makes it say
    monkeypatch.setattr(formats, "_read_parquet", lambda *_: slip())
    with pytest.raises(pg.errors.LayerError, match="can't be read"):
        pg.read_layer(tmp_path / "r.parquet", "rivers")


def test_an_attribute_that_a_value_from_a_file_lacks_is_said_of_the_file():
    from pinghu_geo.nouns.errors import own_slip

    ours = {"__name__": "pinghu_geo.intake.formats"}
    with pytest.raises(AttributeError) as caught:
        eval("(lambda value: value.group())(None)", ours)
    assert not own_slip(caught.value)


@pytest.mark.parametrize("count", [99_999_999, 21, -3])
def test_a_count_beyond_what_the_lines_hold_is_refused_before_it_is_filled(count):
    from pinghu_geo.flood.hecras_structures import _fixed_width_numbers

    lines = ["head", f"{1:8}{2:8}{3:8}", f"{4:8}"]
    with pytest.raises(ValueError, match=f"{count} numbers where 20 can stand"):
        _fixed_width_numbers(lines, 1, count)
    assert _fixed_width_numbers(lines, 1, 20)[0][:3] == [1, 2, 3]


@pytest.mark.parametrize("count", ["99999999", "0", "-1", "2e9", ""])
def test_profiles_that_cannot_be_are_refused_in_words(tmp_path, count):
    bed = pd.DataFrame(
        {"river": "A", "chainage_m": [0.0, 500], "bed_level_m": [0.5, 0], "left_m": 9.0,
         "right_m": 9.0, "bank_level_m": 5.0, "n": 0.03}
    )  # fmt: skip
    made = pg.write_hecras(pg.design_sections(bed), 50.0, {"slope": 0.001}, tmp_path / "m")
    flow = made["flow"].read_text("utf-8")
    assert "Number of Profiles= 1" in flow
    made["flow"].write_text(flow.replace("Profiles= 1", f"Profiles= {count}"), "utf-8")
    with pytest.raises(pg.PinghuError, match=r"m\.f01"):
        pg.read_hecras(made["geometry"], made["flow"], units="SI")
