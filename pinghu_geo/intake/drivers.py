"""Which driver reads this file? The one of its suffix, and none that its content may name.

GDAL asks its drivers in turn whether they know a file by its first kilobytes. A script of its
virtual format, or of a pipeline, that bears another suffix would open any other file, an address,
or write one. So what GDAL sees first is either a mark that no other driver knows, or a head that
is written here; and nothing inside may lead to a file that isn't one of the known companions.
"""

from __future__ import annotations

import json
import mmap
import os
import re
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from pinghu_geo.intake.bounds import require_bounded_base, require_bounded_tiff
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.files import require_plain
from pinghu_geo.nouns.replacing import scratch_folder

__all__ = [
    "drawing_for_one_driver",
    "for_one_driver",
    "plain_xml",
    "raster_driver",
    "require_raster",
]

# What drivers look at to recognise a file: none asks for more [bytes].
LOOKED_AT = 65_536
# FlatGeobuf's mark; the length of its header follows, of which the last byte is 0 [bytes]
FLATGEOBUF, LONGEST_HEADER = b"fgb\x03fgb", 2**24 - 1
GEODATABASE = re.compile(
    r"a[0-9a-f]{8}\.[a-z_.]{1,80}|gdb|timestamps|.*\.lock|.*\.xml|thumbs\.db|\.ds_store",
    re.IGNORECASE,
)
TABLE_MARK = b"\x03\x00\x00\x00"
# how JSON says what it is -> the prefix that names the driver
JSON_KINDS = (
    (rb'"esriGeometry|"geometryType"\s*:\s*"esri', "ESRIJSON"),
    (rb'"type"\s*:\s*"Topology"', "TopoJSON"),
    (rb'"conformsTo"[^]]*json-?fg|"coordRefSys"', "JSONFG"),
    (rb'^\s*\x1e|^\s*\{[^\n]*\}\s*\n\s*\x1e?\{', "GeoJSONSeq"),
)  # fmt: skip
CRS_MEMBER = re.compile(rb'"(?:crs|coordRefSys)"\s*:\s*')
# letters written as escapes hide a name from whoever looks for it; no exporter writes them so
HIDDEN = re.compile(rb"\\u00[4-7][0-9a-fA-F]")
CRS_NAME = re.compile(
    r"(https?://www\.opengis\.net/def/crs/|urn:|epsg:|\[?(epsg|ogc):)[\w:./\-\]]*", re.I
)
# a field of a MapInfo table: its name, its type, and perhaps its index
TAB_LINE = re.compile(
    r'(!table|!version \d+|!charset \S+|definition table|type (native|dbf)\b[\w" \t-]*|'
    r'description ".*"|fields \d+|\S+ (char|integer|smallint|largeint|decimal|float|date|time|'
    r"datetime|logical)\b[\d ,()]*(index \d+)?[ \t]*;?)",
    re.IGNORECASE,
)
# suffix of a raster: its driver, and how its files begin
RASTERS: dict[str, tuple[str, tuple[bytes, ...]]] = {
    ".tif": ("GTiff", (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    ".img": ("HFA", (b"EHFA_HEADER_TAG",)),
    ".asc": ("AAIGrid", (b"ncols", b"nrows", b"xll", b"yll", b"cellsize", b"dx", b"nodata")),
    ".vrt": ("VRT", (b"<VRTDataset", b"<?xml")),
}
RASTERS[".tiff"] = RASTERS[".gtiff"] = RASTERS[".tif"]
# what GDAL opens beside a raster: its mask, its overviews
BESIDE = (".msk", ".ovr", ".MSK", ".OVR")
# the parts of a mosaic that only lay files side by side, which name no address and run no code
MOSAIC = {
    "VRTDataset", "SRS", "GeoTransform", "VRTRasterBand", "NoDataValue", "ColorInterp",
    "SimpleSource", "ComplexSource", "AveragedSource", "SourceFilename", "SourceBand",
    "SourceProperties", "SrcRect", "DstRect", "NODATA", "NoData", "OverviewList", "Metadata", "MDI",
    "Description", "UnitType", "Offset", "Scale", "ScaleOffset", "ScaleRatio", "BlockXSize",
    "BlockYSize", "HideNoDataValue", "UseMaskBand", "ColorTable", "Entry", "CategoryNames",
    "Category", "Histograms", "HistItem", "HistMin", "HistMax", "BucketCount", "IncludeOutOfRange",
    "Approximate", "HistCounts", "OpenOptions",
}  # fmt: skip
# deeper than any office nests folders and parts
DEEPEST = 100


def for_one_driver(path: Path, what: str, stack: ExitStack) -> Path:
    """What to give GDAL in place of a path, so that only the driver of its suffix knows it."""
    suffix = path.suffix.lower()
    if suffix == ".gdb" or path.is_dir():
        _require_geodatabase(path, what)
    elif suffix in (".geojson", ".json"):
        return _path_with_json_driver(path, what)
    elif suffix == ".gpkg":
        require_bounded_base(path, what)
    elif suffix == ".kml":
        return plain_xml(path, what, stack, root="kml")
    elif suffix == ".mif":
        return _plain_mif_copy(path, what, stack)
    elif suffix == ".tab":
        return _plain_tab_copy(path, what, stack)
    elif suffix == ".fgb":
        with path.open("rb") as file:
            head = file.read(12)
        size = int.from_bytes(head[8:12], "little")
        if not (head.startswith(FLATGEOBUF) and 0 < size <= LONGEST_HEADER):
            raise _wrong_content_error(path, what)
    return path


def _wrong_content_error(path: Path, what: str, why: str = "") -> LayerError:
    return LayerError(
        f"{path.name} is no {path.suffix[1:].lower()} by content{why}",
        layer=what,
        hint="do not open it; ask the sender what this is, and for the data themselves",
        fault="unreadable",
    )


def _require_geodatabase(path: Path, what: str) -> None:
    """Refuse a folder that isn't a File Geodatabase and nothing else."""
    first = path / "a00000001.gdbtable"
    if not path.is_dir() or not first.is_file():
        raise _wrong_content_error(path, what)
    with first.open("rb") as file:
        known = file.read(4) == TABLE_MARK
    astray = [p.name for p in path.iterdir() if not GEODATABASE.fullmatch(p.name) or p.is_dir()]
    if not known or astray:
        raise _wrong_content_error(
            path, what, f"; it holds {', '.join(sorted(astray)[:3])}" if astray else ""
        )


# --- GeoJSON and its kin ---------------------------------------------------------------------


def _path_with_json_driver(path: Path, what: str) -> Path:
    """The path behind the prefix that leaves GDAL no choice of its driver."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        head = raw[:LOOKED_AT].removeprefix(b"\xef\xbb\xbf")
        driver = next((name for sign, name in JSON_KINDS if re.search(sign, head)), "GeoJSON")
        hidden = HIDDEN.search(raw) is not None
        given = [raw[m.end() : m.end() + LOOKED_AT] for m in CRS_MEMBER.finditer(raw)]
    if hidden:
        given = _unescaped_crs_members(path, what)
    for text in given:
        if not _is_plain_crs(text):
            raise LayerError(
                f"{path.name} names a CRS that would have to be fetched, or read from a file",
                layer=what,
                hint='delete the member "crs" from the file, and state crs=4547 while reading',
                fault="unreadable",
            )
    return Path(f"{driver}:{path.absolute()}")


def _unescaped_crs_members(path: Path, what: str) -> list[bytes]:
    """Values of all CRS members of a JSON that writes letters as escapes."""
    found: list[bytes] = []

    def kept(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        said = (json.dumps(v).encode() for k, v in pairs if k in ("crs", "coordRefSys"))
        found.extend(said)
        return dict(pairs)

    try:
        json.loads(path.read_bytes(), object_pairs_hook=kept)
    except (ValueError, RecursionError) as fault:
        raise _wrong_content_error(path, what) from fault
    return found


def _is_plain_crs(raw: bytes) -> bool:
    """Whether a CRS member names a CRS, and doesn't tell where to find one."""
    text = raw.decode("utf-8", "replace")
    try:
        value, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return not text.startswith(("{", "[", '"'))
    if isinstance(value, dict):
        inner = value.get("properties", value)
        if value.get("type") in ("link", "url", "OGC") or not isinstance(inner, dict):
            return False
        names = [inner.get(k) for k in ("name", "href", "url", "urn") if k in inner]
        return all(isinstance(n, int) or bool(CRS_NAME.fullmatch(str(n))) for n in names)
    if isinstance(value, str):
        return bool(CRS_NAME.fullmatch(value)) or not re.search(r"[/=]", value)
    return True


# --- formats whose head is written anew ---------------------------------------------------------


def _path_with_companions(path: Path, stack: ExitStack, suffixes: tuple[str, ...]) -> Path:
    """A path of the same name in a folder of its own, with the companions that belong to it."""
    folder = stack.enter_context(scratch_folder(path.name))
    for part in path.parent.glob("*"):
        if part.stem == path.stem and part.suffix.lower() in suffixes and part.is_file():
            _link_or_copy(part, folder / part.name)
    return folder / path.name


def _link_or_copy(part: Path, other: Path) -> None:
    try:
        os.symlink(part.absolute(), other)
    except (OSError, NotImplementedError):  # Windows allows links to few
        shutil.copyfile(part, other)


def plain_xml(path: Path, what: str, stack: ExitStack, *, root: str) -> Path:
    """A copy that begins with its root alone; refused what isn't well-formed or nests too deep."""
    raw = path.read_bytes()
    depth = 0
    first: list[tuple[str, dict[str, str], int]] = []

    def begun(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        if not first:
            first.append((name, attributes, parser.CurrentByteIndex))
        depth += 1
        if depth > DEEPEST:
            raise _wrong_content_error(path, what, f": its elements nest more than {DEEPEST} deep")

    def ended(_: str) -> None:
        nonlocal depth
        depth -= 1

    def declared(*_: Any) -> None:
        raise _wrong_content_error(path, what, ": it declares entities")

    text = _as_utf8(raw)
    parser = expat.ParserCreate("UTF-8")
    parser.StartElementHandler, parser.EndElementHandler = begun, ended
    parser.StartDoctypeDeclHandler = declared
    try:
        parser.Parse(text, True)
    except expat.ExpatError as fault:
        raise _wrong_content_error(path, what, f": {fault}") from fault
    name, attributes, at = first[0]
    if name.rpartition(":")[2].lower() != root:
        raise _wrong_content_error(path, what)
    tag = re.compile(rb"""<[^\s>/]+(\s+[^\s=]+\s*=\s*("[^"]*"|'[^']*'))*\s*>""").match(text, at)
    if tag is None:
        raise _wrong_content_error(path, what)
    kept = "".join(f" {k}={quoteattr(v)}" for k, v in attributes.items() if k.startswith("xmlns"))
    target = _path_with_companions(path, stack, ())
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}{kept}>'.encode()
    target.write_bytes(head + b"\n" * LOOKED_AT + text[tag.end() :])
    return target


def _as_utf8(raw: bytes) -> bytes:
    """XML in UTF-8 without the declaration, which may have said something else."""
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raw = raw.decode("utf-16", "replace").encode()
    declaration = re.match(rb"\s*<\?xml[^>]*\?>", raw)
    if declaration is None:
        return raw
    named = re.search(rb"""encoding\s*=\s*["']([\w.-]+)["']""", declaration[0])
    body = raw[declaration.end() :]
    if named and named[1].lower().replace(b"-", b"") not in (b"utf8", b"utf16", b"ascii"):
        try:
            return body.decode(named[1].decode("ascii")).encode()
        except (LookupError, UnicodeDecodeError):
            return body
    return body


def _plain_mif_copy(path: Path, what: str, stack: ExitStack) -> Path:
    """A copy whose first line is followed by blank ones."""
    raw = path.read_bytes()
    version = re.match(rb"\s*version[ \t]+\d+[ \t]*\r?\n", raw, re.IGNORECASE)
    if version is None:
        raise _wrong_content_error(path, what)
    target = _path_with_companions(path, stack, (".mid",))
    target.write_bytes(version[0].lstrip() + b"\n" * LOOKED_AT + raw[version.end() :])
    return target


def _plain_tab_copy(path: Path, what: str, stack: ExitStack) -> Path:
    """A copy without metadata: refused a view or a seamless table, which name other tables."""
    text = path.read_bytes()[: 2**20].decode("latin-1")
    body = re.split(r"(?im)^\s*begin_metadata", text)
    if re.search(r'(?i)\\isseamless"\s*=\s*"true|create\s+view|open\s+table', text):
        raise LayerError(
            f"{path.name} is a view of other tables, or a seamless one",
            layer=what,
            hint="read the tables that it is made of, one by one",
            fault="unreadable",
        )
    lines = [line.strip() for line in body[0].splitlines()]
    odd = [line for line in lines if line and not TAB_LINE.fullmatch(line)]
    if odd or "<" in body[0] or "{" in body[0]:
        raise _wrong_content_error(path, what, f": {odd[0][:40]!r}" if odd else "")
    if len(body) == 1:
        return path
    target = _path_with_companions(path, stack, (".dat", ".map", ".id", ".ind", ".dbf"))
    target.write_bytes(body[0].encode("latin-1"))
    return target


def drawing_for_one_driver(raw: bytes, name: str, what: str) -> bytes:
    """A DXF whose header begins with comments."""
    group = rb"[ \t]*%s[ \t]*\r?\n[ \t]*%s[ \t]*\r?\n"
    comments = re.match(rb"\s*(?:[ \t]*999[ \t]*\r?\n[^\n]*\n)*", raw)
    start = comments.end() if comments else 0
    begun = re.compile(group % (b"0", b"SECTION")).match(raw, start)
    if begun is None:
        raise _wrong_content_error(Path(name), what)
    header = re.compile(group % (b"2", b"HEADER")).match(raw, begun.end())
    pad = b"999\n \n" * (LOOKED_AT // 6)
    head = b"  0\nSECTION\n  2\nHEADER\n"
    if header is None:  # GDAL looks for the encoding only behind a header
        return head + pad + b"  0\nENDSEC\n" + raw[start:]
    return head + pad + raw[header.end() :]


# --- rasters ------------------------------------------------------------------------------------


def raster_driver(path: Path) -> str:
    """The only driver that may read a raster of this suffix; empty where there is none."""
    return RASTERS.get(path.suffix.lower(), ("", ()))[0]


def require_raster(path: Path, layer: str) -> None:
    """Refuse a raster that isn't what its suffix says, or that leads to other files."""
    require_plain(path, layer)
    driver, begins = RASTERS.get(path.suffix.lower(), ("", ()))
    if not driver or not path.is_file():
        raise LayerError(
            f"{path.name} is no raster that can be read",
            layer=layer,
            hint="a DEM is a GeoTIFF (.tif), IMG, ASC, or a VRT of such files beside it; clouds of "
            "points (.las, .laz) are gridded first",
        )
    with path.open("rb") as file:
        head = file.read(LOOKED_AT).removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    if not any(head[:20].lower().startswith(b.lower()) for b in begins):
        raise LayerError(
            f"{path.name} is no raster that can be read, or it is cut off",
            layer=layer,
            hint=f"by its content it is no {path.suffix}: ask the sender what it is",
        )
    if driver == "GTiff":
        for tail in ("", *BESIDE):
            if (part := path.with_name(path.name + tail)).is_file():
                require_bounded_tiff(part, layer)
    if driver == "VRT":
        _require_local_mosaic(path, layer)
    elif _names_other_files(path, driver):
        raise LayerError(
            f"{path.name} keeps its cells, its mask or overviews in another file that it names",
            layer=layer,
            hint="gdal_translate dem.tif whole.tif puts all in one file",
        )


def _names_other_files(path: Path, driver: str) -> bool:
    """Whether a raster, or what lies beside it, names a file that isn't its known companion."""
    for tail in BESIDE:
        if (mask := path.with_name(path.name + tail)).is_file():
            with mask.open("rb") as file:
                if file.read(4) not in RASTERS[".tif"][1]:
                    return True
    about = path.with_name(path.name + ".aux.xml")
    if about.is_file() and b"OVERVIEW_FILE" in about.read_bytes().upper():
        return True
    named = {"HFA": b"ExternalRasterDMS", "GTiff": b"OVERVIEW_FILE"}.get(driver)
    if named is None:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        return raw.find(named) >= 0


def _require_local_mosaic(path: Path, layer: str) -> None:
    """Refuse a mosaic whose parts aren't rasters in its own folder, or that computes."""
    sources: list[str] = []
    inside: list[str] = []

    def begun(name: str, attributes: dict[str, str]) -> None:
        if name not in MOSAIC or "subClass" in attributes:
            raise _wrong_content_error(
                path, layer, f" that only lays files side by side: it has <{name}>"
            )
        inside.append(name)
        if name == "SourceFilename":
            sources.append("")

    def ended(_: str) -> None:
        inside.pop()

    def said(text: str) -> None:
        if inside and inside[-1] == "SourceFilename":
            sources[-1] += text

    def declared(*_: Any) -> None:
        raise _wrong_content_error(path, layer, ": it declares entities")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begun, ended
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = said, declared
    try:
        parser.Parse(path.read_bytes(), True)
    except expat.ExpatError as fault:
        raise _wrong_content_error(path, layer, f": {fault}") from fault
    home = path.parent.resolve()
    for source in sorted({s.strip() for s in sources}):
        part = path.parent / source
        if raster_driver(part) in ("", "VRT") or home not in part.resolve().parents:
            raise LayerError(
                f"{path.name} lays {source!r} beside others, which is no raster in its folder",
                layer=layer,
                hint="put the tiles beside it and build it anew, or name them: dem=[...]",
            )
        require_raster(part, layer)
