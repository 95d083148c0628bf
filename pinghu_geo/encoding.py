"""In which encoding are these bytes? Declared, marked, or seen in the bytes themselves."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pinghu_geo.errors import LayerError

__all__ = ["Encoding", "dbf_encoding", "text_encoding"]

# Language driver byte of a .dbf (byte 29) -> encoding; only the Chinese ones matter here.
LDID = {0x4D: "GBK", 0x7A: "GBK"}
# Values looked at: a wrong encoding shows in the first few.
VALUES_SEEN = 20_000


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding, why it was taken, and how sure that is (0-1)."""

    name: str
    reason: str
    confidence: float


def dbf_encoding(path: str | Path) -> Encoding:
    """Encoding of a Shapefile's attributes 属性编码.

    Parameters
    ----------
    path
        The ``.dbf``.

    Returns
    -------
    Encoding
        Name, reason and confidence.

    Raises
    ------
    LayerError
        The bytes fit neither UTF-8 nor GB18030, or the file is no .dbf.

    Notes
    -----
    The bytes decide: what doesn't decode can't be the encoding, whatever is declared. Where
    several fit, the .cpg wins, then the code-page byte, then UTF-8 over GBK, because Chinese
    text in GBK almost never happens to be valid UTF-8. A field cut in mid-character at its
    end counts as fitting.

    Examples
    --------
    >>> pg.dbf_encoding(sample / "宗地.dbf").reason
    'the bytes are valid GBK and not UTF-8'
    """
    path = Path(path)
    words = _dbf_words(path)
    declared, origin = _declared(path)
    return _judge(words, declared, origin, path.name)


def text_encoding(raw: bytes, name: str) -> Encoding:
    """Encoding of a text file from its bytes: mark, UTF-8, then GB18030."""
    if raw.startswith(codecs.BOM_UTF8):
        return Encoding("utf-8-sig", "byte order mark", 1.0)
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Encoding("utf-16", "byte order mark", 1.0)
    return _judge([raw], None, "", name)


def _judge(words: list[bytes], declared: str | None, origin: str, name: str) -> Encoding:
    """Hold the words against the encodings that come into question."""
    words = [w for w in words if not w.isascii()]
    if not words:
        return Encoding(declared or "UTF-8", f"{origin or 'plain ASCII'}; no Chinese text", 1.0)
    fits = [e for e in ("UTF-8", "GB18030") if all(_decodes(w, e) for w in words)]
    if declared and declared not in ("UTF-8", "GBK", "GB18030"):
        # Latin encodings decode anything, and exporters name them by default
        chinese = "UTF-8" in fits or ("GB18030" in fits and _in_pairs(words))
        if not chinese and all(_decodes(w, declared) for w in words):
            return Encoding(declared, origin, 0.9)
        origin += ", which the bytes contradict"
        declared = None
    if not fits:
        raise LayerError(
            f"the text of {name} is neither UTF-8 nor GBK, or it is damaged",
            hint='name its encoding: pg.read_layer(..., encoding="Big5")',
        )
    # three bytes a character against two: by chance GBK passes for UTF-8 once in some 30
    characters = sum(len(w) for w in words) / 3
    sure = 1 - 0.03 ** min(characters / 2, 6)
    if "UTF-8" in fits and (declared in (None, "UTF-8") or sure > 0.999):
        against = f"{origin} says {declared}, but " if declared not in (None, "UTF-8") else ""
        return Encoding("UTF-8", f"{against}all {len(words)} texts are valid UTF-8", sure)
    against = f"{origin} says {declared}, but " if declared == "UTF-8" else ""
    reason = origin if declared in ("GBK", "GB18030") else "the bytes are valid GBK and not UTF-8"
    return Encoding("GB18030" if declared == "GB18030" else "GBK", against + reason, 0.99)


def _in_pairs(words: list[bytes]) -> bool:
    """Whether high bytes mostly stand next to one another, as in Chinese and not in Latin text."""
    high = np.frombuffer(b" ".join(words), np.uint8) > 0x7F
    alone = high[1:-1] & ~high[:-2] & ~high[2:]
    return bool(alone.sum() < 0.4 * high.sum())


def _decodes(word: bytes, encoding: str) -> bool:
    """Whether bytes decode, but for a character cut off at the end."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        decoder.decode(word, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _declared(path: Path) -> tuple[str | None, str]:
    """Encoding that the .cpg or the code-page byte declares."""
    for suffix in (".cpg", ".CPG"):
        cpg = path.with_suffix(suffix)
        if cpg.exists():
            text = cpg.read_text("ascii", "replace").strip().strip('"')
            if name := _encoding_name(text):
                return name, f".cpg {text!r}"
            return None, f".cpg {text!r} is not understood"
    with path.open("rb") as file:
        head = file.read(32)
    if len(head) == 32 and head[29] in LDID:
        return LDID[head[29]], f"code-page byte 0x{head[29]:02X}"
    return None, ""


def _encoding_name(text: str) -> str | None:
    """Python's name of an encoding in any of the spellings found in .cpg files."""
    plain = re.sub(r"^(ansi|oem|cp|ms|windows|x-?windows)[\s_-]*", "", text.strip().lower())
    if plain in ("65001", "utf8", "utf-8"):
        return "UTF-8"
    if plain in ("936", "gbk", "gb2312", "54936", "gb18030", "euc-cn"):
        return "GB18030" if plain in ("54936", "gb18030") else "GBK"
    try:
        return codecs.lookup(f"cp{plain}" if plain.isdigit() else plain).name
    except LookupError:
        return None


def _dbf_words(path: Path) -> list[bytes]:
    """Field names and the first distinct non-ASCII texts of a .dbf."""
    with path.open("rb") as file:
        head = file.read(32)
        if len(head) < 32:
            raise LayerError(f"{path.name} is no .dbf, or it is cut off", hint="ask for it again")
        rows = int.from_bytes(head[4:8], "little")
        start, width = int.from_bytes(head[8:10], "little"), int.from_bytes(head[10:12], "little")
        fields = file.read(max(start - 32, 0))
        words, columns, at = [], [], 1
        for k in range(0, len(fields) - 31, 32):
            if fields[k] == 0x0D:
                break
            words.append(fields[k : k + 11].split(b"\0")[0])
            size = fields[k + 16]
            if fields[k + 11 : k + 12] == b"C":
                columns.append((at, size))
            at += size
        file.seek(start)
        seen = 0
        while width and columns and seen < rows and len(words) < VALUES_SEEN:
            block = file.read(width * 65_536)
            n = len(block) // width
            if not n:
                break
            table = np.frombuffer(block, np.uint8, n * width).reshape(n, width)
            for begin, size in columns:
                cells = table[:, begin : begin + size]
                for row in np.flatnonzero((cells > 0x7F).any(axis=1))[:VALUES_SEEN]:
                    words.append(cells[row].tobytes().rstrip(b" \0"))
            seen += n
    return words
