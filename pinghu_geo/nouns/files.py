"""Is this file safe to open? Zips, signatures, and files of rules."""

from __future__ import annotations

import os
import re
import tomllib
import zipfile
from collections.abc import Collection
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any

from pinghu_geo.nouns.errors import LayerError, OutputError, reason
from pinghu_geo.nouns.replacing import completed, scratch_folder
from pinghu_geo.nouns.schema import nearest

__all__ = [
    "existing",
    "parsed_toml",
    "require_plain",
    "require_signature",
    "require_suffix",
    "rule_file",
    "unpacked",
    "unpacked_size",
    "zip_members",
]

# Unpacked sizes and counts that no delivery of one district has: a zip bomb, not a layer.
ZIP_BYTES = 8 * 2**30
ZIP_RATIO = 200
ZIP_MEMBERS = 10_000
# a name of 64 parts in a TOML, as a.a.a...
ENDLESS_NAME = re.compile(
    r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){64}"""
)
# How a file of each suffix begins; GDAL goes by content, and would open a script of its own
# virtual format that bears a harmless name.
SIGNATURES: dict[str, tuple[bytes, ...]] = {
    ".shp": (b"\x00\x00\x27\x0a",),
    ".gpkg": (b"SQLite format 3\x00",),
    ".fgb": (b"fgb",),
    ".parquet": (b"PAR1",),
    ".geoparquet": (b"PAR1",),
    ".xlsx": (b"PK\x03\x04",),
    ".docx": (b"PK\x03\x04",),
    ".xlsm": (b"PK\x03\x04",),
    ".geojson": (b"{",),
    ".json": (b"{",),
    ".tab": (b"!table",),
    ".mif": (b"version",),
    # an extract of OSM begins with the length of its first header
    ".pbf": tuple(b"\0\0\0" + bytes([n]) + b"\n\tOSMHeader" for n in (13, 14, 15)),
}
# What a KML may not hold: entities are the way to a file of ours or to gigabytes of text.
XML_FORBIDDEN = (b"<!doctype", b"<!entity")
HEAD_BYTES = 65_536
# Suffixes of what is read with the files beside it.
IN_PARTS = {".shp", ".tab", ".mif", ".tif", ".tiff", ".gtiff", ".img", ".asc", ".vrt"}


def existing(path: Path, what: str) -> Path:
    """The path, or an error that names the file that was probably meant."""
    if not os.path.exists(path):  # False for names that no system has, too
        completed(path)  # of a set whose writer was killed: the new parts are all there
    if os.path.exists(path):
        require_plain(path, what)
        return path
    here = [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else []
    raise LayerError(
        f"there is no file {path}",
        layer=what,
        hint=nearest(path.name, here) if here else "check the folder's name",
    )


def require_plain(path: Path, what: str) -> None:
    """Refuse pipes and devices, its own companions' too: to read them may never end."""
    beside = path.parent.glob("*") if path.suffix.lower() in IN_PARTS else ()
    for one in (path, *(p for p in beside if p.name.startswith(f"{path.stem}."))):
        if one.exists() and not (one.is_file() or one.is_dir()):
            raise LayerError(
                f"{one.name} is no file but a pipe or a device",
                layer=what,
                hint="copy what it gives into a file, and name that",
                fault="unreadable",
            )


def require_signature(path: Path, what: str) -> None:
    """Refuse a file whose content isn't what its suffix says."""
    if path.is_dir():
        return
    suffix = path.suffix.lower()
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    begins = SIGNATURES.get(suffix, ())
    fits = not begins or any(start.lower().startswith(b.lower()) for b in begins)
    if suffix in (".kml", ".osm"):
        fits = b"<" + suffix[1:].encode() in head and not any(
            word in head.lower() for word in XML_FORBIDDEN
        )
    if not fits:
        raise LayerError(
            f"{path.name} is empty" if not head else f"{path.name} is no {suffix[1:]} by content",
            layer=what,
            hint="open it in the program that wrote it and export it again",
            fault="unreadable",
        )


def unpacked(
    path: Path, what: str, wanted: str | None, suffixes: Collection[str], stack: ExitStack
) -> tuple[Path, str | None]:
    """A file, or the layer asked for in a zip, unpacked where nothing else lies.

    Also what is left of the name asked for: the layer within that file.
    """
    existing(path, what)
    if path.suffix.lower() != ".zip":
        return path, wanted
    folder = stack.enter_context(scratch_folder(what))
    members = _extract_zip(path, what, folder, stack)
    found = [m for m in members if m.suffix.lower() in suffixes]
    named = [m for m in found if wanted in (str(m), m.name, m.stem)]
    if len(named) == 1:
        return folder / named[0], None
    if len(found) != 1:
        names = ", ".join(map(str, found)) or "none"
        raise LayerError(
            f"{path.name} holds {len(found)} layers: {names}",
            layer=what,
            hint=f"pg.read_layer(..., layer={str(found[0])!r})"
            if found
            else "unpack it and see what is there",
        )
    return folder / found[0], wanted


def zip_members(
    path: Path, what: str, suffixes: Collection[str], stack: ExitStack
) -> list[tuple[str, Path]]:
    """Files of a zip that may be layers: the name to ask for, and where it is unpacked for now."""
    folder = stack.enter_context(scratch_folder(what))
    members = _extract_zip(path, what, folder, stack)
    return [(str(m), folder / m) for m in members if m.suffix.lower() in suffixes]


def unpacked_size(path: Path, what: str) -> int:
    """What a zip says that it unpacks to [bytes]; more is never read of a member."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(i.file_size for i in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as fault:
        raise LayerError(
            f"{path.name} is no readable zip", layer=what, hint="ask for it again"
        ) from fault


def _extract_zip(path: Path, what: str, folder: Path, stack: ExitStack) -> list[PurePosixPath]:
    """Unpack a zip that is no bomb; names as they are meant, none outside of the folder."""
    try:
        # names without the UTF-8 mark are in the packer's code page: GBK on Chinese Windows
        archive = stack.enter_context(zipfile.ZipFile(path, metadata_encoding="gbk"))
    except (
        zipfile.BadZipFile, UnicodeDecodeError, OSError, ValueError, NotImplementedError
    ) as fault:  # fmt: skip
        raise LayerError(
            f"{path.name} is no readable zip", layer=what, hint="ask for it again"
        ) from fault
    inside = [i for i in archive.infolist() if not i.is_dir()]
    size = sum(i.file_size for i in inside)
    most = min(ZIP_BYTES, ZIP_RATIO * max(path.stat().st_size, 2**20))
    if size > most or len(inside) > ZIP_MEMBERS:
        raise LayerError(
            f"{path.name} would unpack to {size / 2**20:,.0f} MB in {len(inside):,} files",
            layer=what,
            hint="unpack it yourself if that is right, and read the layer inside",
        )
    astray = [i.filename for i in inside if _is_outside_folder(i.filename)]
    if astray:
        raise LayerError(
            f"{path.name} has members that point outside of it",
            layer=what,
            ids=astray,
            hint="do not unpack it; ask the sender what this is",
        )
    try:
        archive.extractall(folder)  # noqa: S202 - checked above
    except (zipfile.BadZipFile, RuntimeError, OSError, EOFError, ValueError) as fault:
        raise LayerError(
            f"{path.name} can't be unpacked: {reason(fault)}",
            layer=what,
            hint="ask for it again, without a password",
        ) from fault
    except Exception as fault:  # zlib.error and what other decompressors raise
        raise LayerError(
            f"{path.name} is damaged: {reason(fault)}", layer=what, hint="ask for it again"
        ) from fault
    return sorted(PurePosixPath(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def _is_outside_folder(name: str) -> bool:
    """Whether a member's name leads out of the folder it is unpacked in."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or not path.parts or ":" in path.parts[0]


def require_suffix(path: Path, suffix: str) -> None:
    """Refuse a target that isn't called what is written there."""
    if path.suffix.lower() != suffix:
        raise OutputError(f"{path.name} is no {suffix}", hint=f"use {path.stem}{suffix}")


def parsed_toml(text: str) -> dict[str, Any]:
    """Content of a TOML; RecursionError where its parts, or the parts of a name, have no end."""
    if ENDLESS_NAME.search(text):  # takes the square of its length
        raise RecursionError
    return tomllib.loads(text)


def rule_file(path: str | Path | None, default: str) -> dict[str, Any]:
    """Content of a TOML file of rules; by default one of the library's own."""
    if path is None:
        return tomllib.loads((files("pinghu_geo") / "rules" / default).read_text("utf-8"))
    path = existing(Path(path), "rules")
    try:
        return parsed_toml(path.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise LayerError(
            f"{path.name} is no valid TOML in UTF-8: {reason(fault)}", layer="rules"
        ) from fault
