"""In which encoding are these bytes? Declared, marked, or seen in the bytes themselves."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from pinghu_geo.nouns.errors import LayerError

__all__ = [
    "Encoding",
    "dbf_encoding",
    "dbf_head",
    "dbf_rows",
    "is_garbled",
    "mapinfo_encoding",
    "text_encoding",
]

# Language driver byte of a .dbf (byte 29) -> encoding; only the Chinese ones matter here.
LDID = {0x4D: "GBK", 0x7A: "GBK"}
# Values looked at: a wrong encoding shows in the first few.
VALUES_SEEN = 20_000
# Share of common characters below which text that could be GBK is taken for something else:
# Chinese text has some 0.98, Big5 read as GBK about a half, Latin text next to nothing.
LEAST_COMMON = 0.7

# What a Chinese text is written with: ASCII, dots, dashes, Roman numerals, Chinese characters.
CHINESE_TEXT = "[\x20-\x7e\u00b7\u2010-\u2027\u2160-\u217f\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]*"


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding, why it was taken, how sure that is (0-1), and the fault that it shows."""

    name: str
    reason: str
    confidence: float
    doubt: Literal["", "encoding_guessed", "encoding_contradicted"] = ""


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

    References
    ----------
    ESRI Shapefile Technical Description (1998): attributes are a dBASE file; its byte 29 names the
    code page (language driver ID).

    Examples
    --------
    >>> pg.intake.dbf_encoding(sample / "宗地.dbf").reason
    'the bytes are valid GBK and not UTF-8'
    """
    path = Path(path)
    words = _dbf_texts(path)
    declared, origin = _declared_encoding(path)
    return _judged_encoding(words, declared, origin, path.name)


def text_encoding(raw: bytes, name: str) -> Encoding:
    """Encoding of a text file from its bytes: mark, UTF-8, then GB18030."""
    if raw.startswith(codecs.BOM_UTF8):
        return Encoding("utf-8-sig", "byte order mark", 1.0)
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Encoding("utf-16", "byte order mark", 1.0)
    if b"\0" in raw and not any(_is_decodable(raw, e) for e in ("UTF-8", "GB18030")):
        raise LayerError(
            f"{name} is no text by content",
            hint="save it as .xlsx or .csv; of UTF-16 without a mark name the encoding",
            fault="unreadable",
        )
    found = _judged_encoding([raw], None, "", name)
    # a text file declares nothing, and UTF-8 is the rule
    return replace(found, doubt="") if found.name == "UTF-8" else found


def mapinfo_encoding(path: Path) -> Encoding | None:
    """Encoding of a MapInfo .tab or .mif that names no character set of its own; else none.

    Where it names one, the reader knows it.
    """
    raw = path.read_bytes()
    head = raw[:65_536].lower()
    charset = re.search(rb'charset\s+"?([\w-]+)', head)
    if charset and charset[1] not in (b"neutral", b"none"):
        return None
    texts = [raw]
    for suffix in (".mid", ".MID"):
        if (other := path.with_suffix(suffix)).exists():
            texts.append(other.read_bytes())
    # laid out as a .dbf is, but the .tab says which columns are text: its numbers are binary
    kinds = re.findall(rb"(?im)^[ \t]*\S+[ \t]+([a-z]+)[ \t]*(?:\([^)\n]*\))?[^;\n]*;", raw)
    for suffix in (".dat", ".DAT"):
        if path.suffix.lower() == ".tab" and (other := path.with_suffix(suffix)).exists():
            texts += _dbf_texts(other, [kind.lower() == b"char" for kind in kinds])
    return _judged_encoding(texts, None, "", path.name)


def is_garbled(text: str) -> bool:
    """Whether a text is Chinese that was read in a wrong encoding, or has lost characters."""
    if text.isascii():
        return False
    if re.search("\ufffd|锟斤拷|[\ue000-\uf8ff]", text):
        return True
    for run in re.findall("[\u0080-\u00ff]{4,}", text):  # GBK or UTF-8 read as Latin
        raw = run.encode("latin-1")
        if any(_is_chinese_text(raw, e) for e in ("utf-8", "gbk")):
            return True
    try:  # UTF-8 read as GBK
        return _is_chinese_text(text.encode("gbk"), "utf-8")
    except UnicodeEncodeError:
        return False


def _is_chinese_text(raw: bytes, encoding: str) -> bool:
    """Whether bytes decode to Chinese text and nothing else, but for a character cut off."""
    try:
        decoded = codecs.getincrementaldecoder(encoding)("strict").decode(raw, final=False)
    except UnicodeDecodeError:
        return False
    # rare names decode by chance, but then to Cyrillic and accents among the characters
    written = re.fullmatch(CHINESE_TEXT, decoded) is not None
    return written and re.search("[\u4e00-\u9fff]", decoded) is not None


def dbf_head(raw: bytes) -> tuple[int, int, int]:
    """Number of rows, where the first begins, and bytes of each, of the first bytes of a .dbf."""
    rows = int.from_bytes(raw[4:8], "little")
    return rows, int.from_bytes(raw[8:10], "little"), int.from_bytes(raw[10:12], "little")


def dbf_rows(path: Path) -> int:
    """Number of rows of a .dbf, deleted ones included; refused where the file is shorter."""
    with path.open("rb") as file:
        head = file.read(32)
    rows, start, width = dbf_head(head)
    size = path.stat().st_size
    if len(head) < 32 or start + rows * width > size:
        raise LayerError(
            f"{path.name} was cut off: {size:,} bytes of {start + rows * width:,}",
            hint="ask for it again",
            fault="unreadable",
        )
    return rows


def _judged_encoding(words: list[bytes], declared: str | None, origin: str, name: str) -> Encoding:
    """Hold the words against the encodings that come into question."""
    words = [w for w in words if not w.isascii()]
    if not words:
        return Encoding(declared or "UTF-8", f"{origin or 'plain ASCII'}; no Chinese text", 1.0)
    distinct = set(words)  # uses and structures repeat row by row
    fits = [e for e in ("UTF-8", "GB18030") if all(_is_decodable(w, e) for w in distinct)]
    said = declared
    if declared and declared not in ("UTF-8", "GBK", "GB18030"):
        # Latin encodings decode anything, and exporters name them by default
        chinese = "UTF-8" in fits or ("GB18030" in fits and _has_paired_bytes(words))
        if not chinese and all(_is_decodable(w, declared) for w in distinct):
            return Encoding(declared, origin, 0.9)
        declared = None
    if not fits:
        raise LayerError(
            f"the text of {name} is neither UTF-8 nor GBK, or it is damaged",
            hint='name its encoding: pg.read_layer(..., encoding="Big5")',
            fault="unreadable",
        )
    # three bytes a character against two: by chance GBK passes for UTF-8 once in some 30
    characters = sum(len(w) for w in words) / 3
    sure = 1 - 0.03 ** min(characters / 2, 6)
    if "UTF-8" in fits and (declared in (None, "UTF-8") or sure > 0.999):
        taken, reason = "UTF-8", f"all {len(words)} texts are valid UTF-8"
    else:
        taken, sure = ("GB18030" if declared == "GB18030" else "GBK"), _share_of_common(words)
        reason = "the bytes are valid GBK and not UTF-8"
        if sure < LEAST_COMMON and declared in (None, "UTF-8"):
            raise LayerError(
                f"the text of {name} is not UTF-8, and as GBK only {sure:.0%} of it would be "
                "common characters",
                hint='name its encoding: pg.read_layer(..., encoding="Big5"), "latin-1", "GBK"',
                fault="unreadable",
            )
    agreed = said is not None and (said == taken or {said, taken} <= {"GBK", "GB18030"})
    if agreed:
        return Encoding(taken, origin, sure)
    if said is None:
        reason = f"{origin}; {reason}" if origin else reason
        return Encoding(taken, reason, sure, "encoding_guessed")
    return Encoding(taken, f"{origin} says {said}, but {reason}", sure, "encoding_contradicted")


def _share_of_common(words: list[bytes]) -> float:
    """Share of the characters, read as GBK, that GB 2312 has: those that people write.

    Big5 and Latin text may decode as GBK, too, but to characters that nobody uses.
    """
    text = "".join(w.decode("gb18030", "ignore") for w in words[:VALUES_SEEN])
    rare = [c for c in text if not c.isascii()][:100_000]
    often = Counter(rare)  # a few hundred characters come again and again
    known = sum(n for c, n in often.items() if c.encode("gb2312", "ignore"))
    return known / len(rare) if rare else 0.0


def _has_paired_bytes(words: list[bytes]) -> bool:
    """Whether high bytes mostly stand next to one another, as in Chinese and not in Latin text."""
    high = np.frombuffer(b" ".join(words), np.uint8) > 0x7F
    alone = high[1:-1] & ~high[:-2] & ~high[2:]
    return bool(alone.sum() < 0.4 * high.sum())


def _is_decodable(word: bytes, encoding: str) -> bool:
    """Whether bytes decode, but for a character cut off at the end."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        decoder.decode(word, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _declared_encoding(path: Path) -> tuple[str | None, str]:
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


def _dbf_texts(path: Path, texts: list[bool] | None = None) -> list[bytes]:
    """Field names and the first distinct non-ASCII texts of a .dbf."""
    with path.open("rb") as file:
        head = file.read(32)
        if len(head) < 32:
            raise LayerError(f"{path.name} is no .dbf, or it is cut off", hint="ask for it again")
        rows, start, width = dbf_head(head)
        fields = file.read(max(start - 32, 0))
        words, columns, at = [], [], 1
        for k in range(0, len(fields) - 31, 32):
            if fields[k] == 0x0D:
                break
            words.append(fields[k : k + 11].split(b"\0")[0])
            size = fields[k + 16]
            if fields[k + 11 : k + 12] == b"C" and (
                texts is None or texts[k // 32 : k // 32 + 1] == [True]
            ):
                columns.append((at, size))
            at += size
        file.seek(start)
        seen = 0
        while width and columns and seen < rows and len(words) < VALUES_SEEN:
            block = file.read(width * 65_536)
            n = len(block) // width
            if not n:
                break
            seen += n
            if block.isascii():
                continue
            table = np.frombuffer(block, np.uint8, n * width).reshape(n, width)
            for begin, size in columns:
                cells = table[:, begin : begin + size]
                high = np.bitwise_or.reduce(cells, axis=0) > 0x7F
                for row in np.flatnonzero((cells[:, high] > 0x7F).any(axis=1))[:VALUES_SEEN]:
                    words.append(cells[row].tobytes().split(b"\0")[0].rstrip(b" "))
    return words
