"""What does a paper look like in Word? Templates that an office may replace, and their filling."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docxtpl import DocxTemplate, InlineImage
from jinja2 import StrictUndefined, Template, TemplateError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from pinghu_geo.nouns.errors import LayerError, OutputError
from pinghu_geo.nouns.files import existing, require_signature, unpacked_size
from pinghu_geo.nouns.inert import file_names, visible_text, word_text
from pinghu_geo.nouns.replacing import atomic_path, made_folder
from pinghu_geo.nouns.schema import nearest

__all__ = ["Draft", "Picture", "fill_papers", "template_bytes"]

# Text and headings of official papers [pt]; width of what is printed on A4 [mm].
TEXT_PT, HEAD_PT, TITLE_PT, PRINTED_MM = 10.5, 12.0, 18.0, 170
# A fixed day: the same input gives the same bytes.
DAY = pd.Timestamp("2000-01-01").to_pydatetime()
ZIP_DAY = (2000, 1, 1, 0, 0, 0)
# A template of a few pages takes no more than this, unpacked [bytes].
MOST_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in a paper, so wide on the page [mm]."""

    png: bytes
    wide_mm: float


# --- the drawing up of a template ---


class Draft:
    """A template of ours as it is drawn up: one paper, repeated for each of ``papers``."""

    def __init__(self, *, landscape: bool = False) -> None:
        self.doc = Document()
        page = self.doc.sections[0]
        page.page_width, page.page_height = Mm(210), Mm(297)
        if landscape:
            page.orientation = WD_ORIENT.LANDSCAPE
            page.page_width, page.page_height = Mm(297), Mm(210)
        page.left_margin = page.right_margin = Mm(20)
        page.top_margin = page.bottom_margin = Mm(18)
        self.wide_mm = 257 if landscape else PRINTED_MM
        normal = self.doc.styles["Normal"]
        normal.font.name, normal.font.size = "Times New Roman", Pt(TEXT_PT)
        normal.element.rPr.rFonts.set(qn("w:eastAsia"), "宋体")
        normal.paragraph_format.space_after = Pt(4)
        self._add_tag("{%p for one in papers %}")

    def _add_tag(self, text: str) -> None:
        self.doc.add_paragraph(text)

    def _add_text_run(self, paragraph: Any, text: str, *, size: float, bold: bool = False) -> None:
        run = paragraph.add_run(text)
        run.font.size, run.bold = Pt(size), bold
        if bold:
            run.font.name = "Arial"
            run._element.rPr.rFonts.set(qn("w:eastAsia"), "黑体")

    def title(self, text: str, *, below: str = "") -> None:
        """Title in the middle, and a smaller line below it."""
        one = self.doc.add_paragraph()
        one.alignment = WD_ALIGN_PARAGRAPH.CENTER
        self._add_text_run(one, text, size=TITLE_PT, bold=True)
        if below:
            two = self.doc.add_paragraph(below)
            two.alignment = WD_ALIGN_PARAGRAPH.CENTER

    def heading(self, text: str) -> None:
        """Heading that stays with what follows."""
        one = self.doc.add_paragraph()
        one.paragraph_format.keep_with_next = True
        one.paragraph_format.space_before = Pt(8)
        self._add_text_run(one, text, size=HEAD_PT, bold=True)

    def line(
        self, text: str, *, indent: bool = False, size: float = TEXT_PT, keep: bool = False
    ) -> None:
        """A paragraph; one to ``keep`` stays with what follows."""
        one = self.doc.add_paragraph()
        one.paragraph_format.keep_with_next = keep or None
        if indent:
            one.paragraph_format.first_line_indent = Pt(2 * size)
        self._add_text_run(one, text, size=size)

    def lines(self, name: str, *, foot: bool = False) -> None:
        """A paragraph for each text of a list; with a ``foot`` the last stays with what follows."""
        self._add_tag(f"{{%p for said in one.{name} %}}")
        if foot:
            self._add_tag("{%p if loop.last %}")
            self.line("{{ said }}", indent=True, keep=True)
            self._add_tag("{%p else %}")
        self.line("{{ said }}", indent=True)
        if foot:
            self._add_tag("{%p endif %}")
        self._add_tag("{%p endfor %}")

    def shown_if(self, name: str, otherwise: str = "", *, keep: bool = False) -> _ConditionalPart:
        """What is drawn up within is shown only where something is there to show.

        What stands there ``otherwise`` stays with what follows, where it is to ``keep``.
        """
        return _ConditionalPart(self, name, otherwise, keep)

    def facts(self, facts: Sequence[tuple[str, str]], *, across: int = 2) -> None:
        """A table of words and values, some pairs a row."""
        table = self._add_empty_table(2 * across, [0.19, 0.31] if across == 2 else [0.2, 0.8])
        for k in range(0, len(facts), across):
            cells = table.add_row().cells
            for j, (word, value) in enumerate(facts[k : k + across]):
                self._fill_cell(cells[2 * j], word, head=True)
                self._fill_cell(cells[2 * j + 1], f"{{{{ one.{value} }}}}")
        self.doc.add_paragraph().paragraph_format.space_after = Pt(0)

    def rows(
        self,
        name: str,
        columns: Sequence[tuple[str, str, float]],
        *,
        keep: bool = False,
        foot: bool = False,
    ) -> None:
        """A table with a row for each of a list: heading, value and share of the width.

        One to ``keep`` stays on a page whole, as one with a sum at its foot does; with a ``foot``
        its last row stays with what follows.
        """
        table = self._add_empty_table(len(columns), [share for *_, share in columns])
        first = table.add_row()
        for cell, (word, _, _) in zip(first.cells, columns, strict=True):
            self._fill_cell(cell, word, head=True)
        repeat = OxmlElement("w:tblHeader")
        first._tr.get_or_add_trPr().append(repeat)
        begin, end = f"{{%tr for row in one.{name} %}}", "{%tr endfor %}"
        steps: list[str | bool] = [begin, keep, end]  # tags, and whether the row between is kept
        if foot:
            steps[1:2] = ["{%tr if loop.last %}", True, "{%tr else %}", keep, "{%tr endif %}"]
        for step in steps:
            cells = table.add_row().cells
            if isinstance(step, str):
                cells[0].text = step
                continue
            for cell, (_, value, _) in zip(cells, columns, strict=True):
                self._fill_cell(cell, f"{{{{ row.{value} }}}}", keep=step)
        below = self.doc.add_paragraph().paragraph_format
        below.space_after, below.keep_with_next = Pt(0), foot or None

    def picture(self, name: str) -> None:
        """A picture where there is one."""
        self._add_tag(f"{{%p if one.{name} %}}")
        one = self.doc.add_paragraph(f"{{{{ one.{name} }}}}")
        one.alignment = WD_ALIGN_PARAGRAPH.CENTER
        self._add_tag("{%p endif %}")

    def pictures(self, name: str) -> None:
        """A picture for each of a list, with its words below."""
        self._add_tag(f"{{%p for drawn in one.{name} %}}")
        for text in ("{{ drawn.picture }}", "{{ drawn.said }}"):
            one = self.doc.add_paragraph(text)
            one.alignment = WD_ALIGN_PARAGRAPH.CENTER
            one.paragraph_format.keep_with_next = "picture" in text
        self._add_tag("{%p endfor %}")

    def signatures(self, words: Sequence[str]) -> None:
        """Places to sign and to date, high enough for a stamp; what stands above is kept with it.

        A paper signed on a page without a word of what is signed can be swapped.
        """
        table = self._add_empty_table(len(words), [1 / len(words)] * len(words))
        for cell, word in zip(table.add_row().cells, words, strict=True):
            self._fill_cell(cell, word, head=True)
        row = table.add_row()
        row.height = Mm(20)
        for cell in row.cells:
            self._fill_cell(cell, "")
        self.doc.add_paragraph()

    def end(self) -> bytes:
        """The template: the next paper begins on a new page."""
        self._add_tag("{%p if not loop.last %}")
        self.doc.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
        self._add_tag("{%p endif %}")
        self._add_tag("{%p endfor %}")
        self._add_page_numbers()
        buffer = BytesIO()
        self.doc.save(buffer)
        return _with_fixed_day(buffer.getvalue())

    def _add_page_numbers(self) -> None:
        one = self.doc.sections[0].footer.paragraphs[0]
        one.alignment = WD_ALIGN_PARAGRAPH.CENTER
        for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
            run = one.add_run()._element
            part = OxmlElement("w:fldChar" if kind else "w:instrText")
            if kind:
                part.set(qn("w:fldCharType"), kind)
            part.text = text or None
            run.append(part)

    def _add_empty_table(self, across: int, shares: Sequence[float]) -> Any:
        table = self.doc.add_table(rows=0, cols=across)
        table.style, table.autofit = "Table Grid", False
        table.alignment = WD_TABLE_ALIGNMENT.CENTER
        wide = list(shares) * (across // len(shares))
        for column, share in zip(table.columns, wide, strict=True):
            column.width = Mm(share * self.wide_mm)
        return table

    def _fill_cell(self, cell: Any, text: str, *, head: bool = False, keep: bool = False) -> None:
        one = cell.paragraphs[0]
        # else the letters stand on the line above
        one.paragraph_format.space_before = one.paragraph_format.space_after = Pt(2)
        # no heading is left alone at the foot of a page
        one.paragraph_format.keep_with_next = head or keep or None
        self._add_text_run(one, text, size=TEXT_PT - 0.5, bold=head)
        if head:
            shade = OxmlElement("w:shd")
            for key, value in (("val", "clear"), ("color", "auto"), ("fill", "EDEDED")):
                shade.set(qn(f"w:{key}"), value)
            cell._tc.get_or_add_tcPr().append(shade)


class _ConditionalPart:
    """A part of a draft between its condition and what stands there otherwise."""

    def __init__(self, draft: Draft, name: str, otherwise: str, keep: bool) -> None:
        self.draft, self.name, self.otherwise, self.keep = draft, name, otherwise, keep

    def __enter__(self) -> None:
        self.draft._add_tag(f"{{%p if one.{self.name} %}}")

    def __exit__(self, *_: object) -> None:
        if self.otherwise:
            self.draft._add_tag("{%p else %}")
            self.draft.line(self.otherwise, keep=self.keep)
        self.draft._add_tag("{%p endif %}")


# --- the filling of a template ---


def template_bytes(given: str | Path | None, own: bytes) -> tuple[bytes, str]:
    """A template of the office's, or ours, with the name that errors call it by."""
    if given is None:
        return own, ""
    path = existing(Path(given), "template")
    if path.suffix.lower() != ".docx":
        raise LayerError(f"{path.name} is no .docx", layer="template",
                         hint="save it in Word as .docx")  # fmt: skip
    require_signature(path, "template")
    if unpacked_size(path, "template") > MOST_BYTES:
        raise LayerError(f"{path.name} is too large for a template", layer="template",
                         hint="compress its pictures")  # fmt: skip
    return path.read_bytes(), path.name


class _Sandbox(ImmutableSandboxedEnvironment):
    """Templates reach nothing but what they are given; each is read once."""

    def __init__(self) -> None:
        super().__init__(autoescape=True, undefined=StrictUndefined)
        self.known: dict[str, Template] = {}

    def from_string(self, source: Any, *given: Any, **options: Any) -> Template:
        if source not in self.known:
            self.known[source] = super().from_string(source, *given, **options)
        return self.known[source]


def fill_papers(
    papers: Mapping[str, Mapping[str, Any]],
    target: str | Path,
    template: tuple[bytes, str],
    *,
    title: str,
    prefix: str = "",
) -> list[Path]:
    """Papers filled in, one file each in a folder, or bound in one where the target is a .docx."""
    goal, sandbox = Path(target), _Sandbox()
    if goal.suffix.lower() == ".docx":
        bound = _fill_template(template, list(papers.values()), title, sandbox)
        with atomic_path(goal) as temporary:
            temporary.write_bytes(bound)
        return [goal]
    names, made = file_names(papers), []
    made_folder(goal)
    for key, paper in papers.items():
        one = _fill_template(template, [paper], f"{title} {key}", sandbox)
        path = goal / f"{prefix}{names[key]}.docx"
        with atomic_path(path) as temporary:
            temporary.write_bytes(one)
        made.append(path)
    return made


def _fill_template(
    template: tuple[bytes, str],
    papers: list[Mapping[str, Any]],
    title: str,
    sandbox: _Sandbox,
) -> bytes:
    """One document; the texts of the data as texts, whatever they hold."""
    given, name = template
    try:
        document = DocxTemplate(BytesIO(given))
        document.render({"papers": [_inert_values(p, document) for p in papers]}, sandbox)
    except UndefinedError as fault:
        word = str(fault).rsplit("'", 2)[-2] if "'" in str(fault) else str(fault)
        known = sorted({key for paper in papers for key in paper})
        raise LayerError(f"{name} asks for {word!r}, which no paper has", layer="template",
                         hint=nearest(word, known)) from fault  # fmt: skip
    except TemplateError as fault:
        raise LayerError(f"{name} can't be filled in: {fault}", layer="template",
                         hint="begin anew from ours: pinghu templates 模板") from fault  # fmt: skip
    except OutputError:
        raise
    except Exception as fault:  # python-docx and lxml let many kinds out of damaged files
        if not name:
            raise
        raise LayerError(f"{name} can't be read as a Word document", layer="template",
                         hint="save it in Word as .docx") from fault  # fmt: skip
    about = document.docx.core_properties
    about.title, about.author, about.last_modified_by = visible_text(title)[:250], "", ""
    about.comments, about.revision = "", 1
    about.created = about.modified = DAY
    buffer = BytesIO()
    document.save(buffer)
    return _with_fixed_day(buffer.getvalue())


class _InertPicture:
    """A picture of which a template sees nothing but the picture: no document, no file."""

    __slots__ = ("_image",)

    def __init__(self, image: InlineImage) -> None:
        self._image = image

    def __html__(self) -> str:
        return str(self._image)


def _inert_values(value: Any, document: DocxTemplate) -> Any:
    """A paper's values as a template sees them."""
    if isinstance(value, str):
        return Markup(word_text(value))  # noqa: S704 - word_text escapes
    if isinstance(value, Picture):
        return _InertPicture(InlineImage(document, BytesIO(value.png), width=Mm(value.wide_mm)))
    if isinstance(value, Mapping):
        return {key: _inert_values(one, document) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_inert_values(one, document) for one in value]
    return value


def _with_fixed_day(packed: bytes) -> bytes:
    """The same parts in the same order, with a fixed day."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(packed)) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.infolist():
            one = zipfile.ZipInfo(part.filename, ZIP_DAY)
            one.compress_type, one.create_system = zipfile.ZIP_DEFLATED, 0
            new.writestr(one, old.read(part))
    return out.getvalue()
