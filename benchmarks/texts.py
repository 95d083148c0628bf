"""Hostile texts in every text of a project, and what each of its outputs makes of them.

    python benchmarks/texts.py                    # a project of its own: 2 minutes
    python benchmarks/texts.py --sample FOLDER    # the sample under hostile names, kept in FOLDER

45 payloads stand in owners, tenants, ids, rivers, schemes, groups, leaders, blockers, notes and the
names of the project. The project is checked, run, reported on; its forms, ledger, tables, drawing,
boards and map are opened: workbooks by openpyxl and by LibreOffice (as .csv, and .csv as .xlsx), pages in
headless Chromium, PDF by poppler, databases by SQLite and GDAL. Each text must be there as it was
given (or as its door's law says), nothing may have been executed, and nobody may have been asked
for anything: a server counts. Needs chromium, chromedriver, soffice and poppler.
"""

from __future__ import annotations

import argparse
import csv
import html
import json
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests")]

PORT = 0
asked: list[str] = []
wrong: list[str] = []
seen = {"texts": 0, "files": 0}
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SPACES = {"tab": "\t", "br": "\n", "cr": "\n"}
NEEDED = ("chromium", "chromedriver", "soffice", "pdftotext", "pdfinfo")


def payloads() -> list[str]:
    """All payloads, those that ask for something asking this machine."""
    from test_inert import PAYLOADS

    more = [
        f'=WEBSERVICE("http://127.0.0.1:{PORT}/w")', f'=DDE("soffice";"x";"http://127.0.0.1:{PORT}/d")',
        f"<img src=http://127.0.0.1:{PORT}/i>", f"<link rel=stylesheet href=http://127.0.0.1:{PORT}/l>",
        f"http://127.0.0.1:{PORT}/plain", f"\\\\127.0.0.1@{PORT}\\share\\x", 'a","b', "逗,号\"引", "\ufffe\uffff",
        "&#x3c;script&#x3e;window.hit=1&#x3c;/script&#x3e;", "<iframe srcdoc='<script>parent.hit=1</script>'>",
        "{{ config.items() }}{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}",
    ]  # fmt: skip
    return [p for p in PAYLOADS if p != "\ud83d"] + more


@contextmanager
def listening() -> Iterator[None]:
    """A server that notes who asks it."""
    global PORT  # noqa: PLW0603 - known once it listens
    server = socket.create_server(("127.0.0.1", 0))
    PORT = server.getsockname()[1]

    def answer() -> None:
        while True:
            try:
                one, _ = server.accept()
            except OSError:
                return
            asked.append(one.recv(200).decode("latin-1"))
            one.close()

    threading.Thread(target=answer, daemon=True).start()
    yield
    server.close()


def say(text: str) -> None:
    """A line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def expect(holds: bool, what: str) -> None:
    """Note what isn't so."""
    if not holds:
        wrong.append(what)
        say(f"  WRONG {what[:300]}")


# --- a project full of them ----------------------------------------------------------------------


def toml(text: str) -> str:
    """A text as TOML writes it."""
    plain = "".join(c if c.isalnum() or c == " " else f"\\U{ord(c):08X}" for c in text)
    return f'"{plain}"'


def make_project(folder: Path) -> Path:
    """Houses beside two rivers, a text of each kind in every column that holds texts."""
    import geopandas as gpd
    import pandas as pd
    import shapely

    import pinghu_geo as pg

    texts = payloads()
    n = len(texts)
    rivers = [texts[7], texts[1] + texts[15]]
    at = [(k % 2, 60 * k) for k in range(n)]
    columns = {c: texts[k:] + texts[:k] for k, c in enumerate(
        ("owner", "title_note", "remark", "address", "zone_note"))}  # fmt: skip
    houses = gpd.GeoDataFrame(
        {**columns, "floors": 2.0, "use": "residential", "tenants": 1.0, "tenure": "private"},
        index=pd.Index([f"{k}{flat(t)}" for k, t in enumerate(texts)], name="building_id"),
        geometry=[shapely.box(x, 1000 * r + 5, x + 10, 1000 * r + 20) for r, x in at], crs=4547,
    )  # fmt: skip
    pg.write_layer(houses, folder / "房屋.gpkg", "buildings")
    lines = [shapely.LineString([(0, 1000 * r), (60 * n, 1000 * r)]) for r in (0, 1)]
    pg.write_layer(
        gpd.GeoDataFrame(index=pd.Index(rivers, name="river"), geometry=lines, crs=4547),
        folder / "河道.gpkg", "rivers",
    )  # fmt: skip
    kept = pg.read_layer(folder / "房屋.gpkg", "buildings")
    names = pg.read_layer(folder / "河道.gpkg", "rivers").index
    ends = [0.0, 60.0 * n]
    for name, wide in (("宽", 17.0), ("窄", 12.0)):
        width = [
            {"river": r, "chainage_m": e, "left_m": wide, "right_m": wide}
            for r in names
            for e in ends
        ]
        pg.write_table(pd.DataFrame(width), folder / f"{name}.csv")
    tenants = {
        "tenant_id": [f"T{k}{t}" for k, t in enumerate(texts)],
        "building_id": kept.index,
        "name": texts,
    }
    pg.write_table(pd.DataFrame(tenants), folder / "租户.csv")
    entry = [
        {"river": r, "from_m": 0.0, "to_m": 60.0 * n, "needed_by": "2019-06-30"} for r in names
    ]
    pg.write_table(pd.DataFrame(entry), folder / "进场.csv")
    zones = gpd.GeoDataFrame(
        {"kind": "renewal", "name": [texts[8]], "payer": [texts[9]]}, index=pd.Index([texts[2]], name="zone_id"),
        geometry=[shapely.box(0, -50, 300, 50)], crs=4547,
    )  # fmt: skip
    pg.write_layer(zones, folder / "更新.gpkg", "zones")
    (folder / "标准.csv").write_text("用途,房屋补偿单价\n住宅,5000\n", "utf-8")
    groups = ", ".join(toml(t) for t in (texts[0], texts[10], texts[17], texts[29], texts[28]))
    blockers = ", ".join(toml(t) for t in texts[:12] + ['"', "a"])
    (folder / "project.toml").write_text(
        f"crs = 4547\nrepair = true\nname = {toml(texts[8] + texts[0])}\nnote = {toml(texts[16] + texts[3])}\n"
        '[layers]\nbuildings = "房屋.gpkg"\nrivers = "河道.gpkg"\nzones = "更新.gpkg"\n[tables]\nrates = "标准.csv"\n'
        f'[schemes.{toml(texts[30])}]\nwidths = "宽.csv"\n[schemes.{toml(texts[32] + texts[13])}]\nwidths = "窄.csv"\n'
        f"[schemes.{toml(texts[33])}]\nleast = {{ from = {toml(texts[30])}, inward_m = 3, outward_m = 1 }}\n"
        f"[published]\n{toml(texts[17])} = {toml(texts[19])}\n"
        f'[campaign]\nadopted = {toml(texts[30])}\nstart = "2018-01-02"\ncalendar = "days"\ngroups = [{groups}]\n'
        f'tenants = "租户.csv"\nhandover = "进场.csv"\nwork = 0.2\nblockers = [{blockers}]\n',
        "utf-8",
    )
    return folder / "project.toml"


def make_sample(folder: Path) -> Path:
    """The sample, its project and its schemes under hostile names."""
    import pinghu_geo as pg

    shutil.copytree(pg.sample_folder(), folder, dirs_exist_ok=True)
    path, texts = folder / "project.toml", payloads()
    said = path.read_text("utf-8")
    for old, new in (
        ("原方案", texts[30]),
        ("寻优方案", texts[32] + texts[0]),
        ("优化方案", texts[18]),
    ):
        said = said.replace(f'"{old}"', toml(new))
    said = re.sub(r"(?m)^name = .*", lambda _: f"name = {toml(texts[8])}", said)
    said = re.sub(r"(?m)^note = .*", lambda _: f"note = {toml(texts[3])}", said)
    path.write_text(said, "utf-8")
    return path


def make_outputs(project: Path, out: Path) -> None:
    """Everything that a project's commands write."""
    import pandas as pd

    import pinghu_geo as pg
    from pinghu_geo.checking import check_project
    from pinghu_geo.deliver.report import write_faults
    from pinghu_geo.plan import read_plan

    texts = payloads()
    write_faults(check_project(project), out / "check.xlsx")
    pg.project_forms(project, out / "填报")
    store = pg.campaign.open_store(project.parent / "campaign.gpkg", read_plan(project).name)
    ids = [i for i in store.nodes().dropna().index if i.isprintable()]  # a sheet holds no controls
    log = pd.DataFrame({"房屋编号": ids, "阶段": "谈判", "日期": "2018-02-01"})
    for k, column in enumerate(("卡点", "备注", "填报人", "照片")):
        log[column] = [texts[(i + k) % len(texts)] for i in range(len(ids))]
    log.to_excel(out / "日报 =1+1.xlsx", index=False)
    pg.update_project(project, [out / "日报 =1+1.xlsx"], today="2018-02-02")
    pg.campaign_project(project, out / "推进", as_of="2018-02-02")
    made = pg.run_project(project, out / "结果")
    pg.project_papers(project, out / "文书", as_of="2018-02-02")
    layers = {k: pg.read_layer(project.parent / f"{n}.gpkg", k) for k, n in
              (("buildings", "房屋"), ("rivers", "河道"))}  # fmt: skip
    houses = layers["buildings"]
    for suffix in (".gpkg", ".geojson", ".fgb", ".parquet", ".shp"):
        frame = houses
        if suffix == ".shp":  # a text has 254 bytes there
            frame = houses.loc[
                [len(str(i).encode()) < 200 for i in houses.index], ["floors", "geometry"]
            ]
        pg.write_layer(
            frame,
            out / f"层{suffix}",
            "buildings",
            **({"encoding": "UTF-8"} if suffix == ".shp" else {}),
        )
    points = houses.assign(geometry=houses.centroid, label=texts)
    pg.write_dxf({"房屋": points}, out / "图.dxf")
    for name in ("表.csv", "表.xlsx"):
        pg.write_table(pd.DataFrame(houses.drop(columns="geometry")), out / name)
    expect(made.is_dir(), "no result")


# --- what became of them --------------------------------------------------------------------------


def given_texts() -> list[str]:
    """The payloads as any door lets them through."""
    return payloads()


def strings(path: Path) -> dict[str, dict[tuple[int, int], str]]:
    """Text cells of a workbook; whatever else could act in it is noted."""
    import openpyxl

    book = openpyxl.load_workbook(path)
    with zipfile.ZipFile(path) as parts:
        acting = [
            n
            for n in parts.namelist()
            if re.search("external|hyperlink|macro|vba|connection|query|ole|embed", n, re.I)
        ]
        inside = b"".join(parts.read(n) for n in parts.namelist() if n.endswith((".xml", ".rels")))
    expect(not acting, f"{path.name} holds {acting}")
    expect(b"TargetMode" not in inside, f"{path.name} leads outside")
    found: dict[str, dict[tuple[int, int], str]] = {}
    for sheet in book:
        cells = found.setdefault(sheet.title, {})
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    expect(
                        str(cell.value).startswith("=SUBTOTAL(109,"),
                        f"{path.name} {cell.coordinate}: {cell.value}",
                    )
                elif isinstance(cell.value, str):
                    cells[cell.row, cell.column] = cell.value
                expect(cell.hyperlink is None, f"{path.name} {cell.coordinate}: a link")
        for rule in sheet.data_validations.dataValidation:
            if rule.type == "list":
                expect(
                    bool(re.fullmatch(r'"(?:[^"]|"")*"', rule.formula1 or "")),
                    f"{path.name}: list {rule.formula1}",
                )
                expect(len(rule.formula1) <= 260, f"{path.name}: a list too long")
    return found


def office(paths: list[Path], folder: Path, to: str, *more: str) -> None:
    """LibreOffice opens files and saves them as something else."""
    profile = folder / "profile"
    subprocess.run(
        ["soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", "--convert-to", to,
         *more, "--outdir", str(folder), *map(str, paths)],
        check=True, capture_output=True, timeout=500,
    )  # fmt: skip


SHEETS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"


def audit_books(out: Path) -> None:
    """Workbooks: openpyxl and LibreOffice see the same texts, and nothing that acts."""
    books = sorted(out.rglob("*.xlsx"))
    wanted = {path: strings(path) for path in books if "日报" not in path.name}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        short = {}
        for k, path in enumerate(wanted):  # their names would be the sheets' files
            short[path] = folder / f"b{k}.xlsx"
            shutil.copy(path, short[path])
        office(list(short.values()), folder, SHEETS)
        for path, sheets in wanted.items():
            for title, cells in sheets.items():
                made = folder / f"{short[path].stem}-{title}.csv"
                if not made.exists():
                    if title != "_pinghu":
                        expect(False, f"LibreOffice shows no {title} of {path.name}")
                    continue
                with made.open(encoding="utf-8", newline="") as file:
                    rows = list(csv.reader(file))
                for (r, c), text in cells.items():
                    seen["texts"] += 1
                    got = rows[r - 1][c - 1] if r <= len(rows) and c <= len(rows[r - 1]) else None
                    expect(
                        got is not None and flat(got) == flat(text),
                        f"LibreOffice, {path.name} {title} {r},{c}: {got!r} for {text!r}",
                    )
            seen["files"] += 1
        owners = {t for p in wanted for cells in wanted[p].values() for t in cells.values()}
        from pinghu_geo.nouns.inert import cell_text, sheet_text

        for text in given_texts():
            expect(
                sheet_text(cell_text(text)) in owners
                or sheet_text(cell_text(text)).strip() in owners,
                f"no workbook holds {text!r}",
            )
    say(
        f"workbooks: {len(wanted)} files, {sum(len(c) for s in wanted.values() for c in s.values()):,} texts"
    )


def flat(text: str) -> str:
    """A text without what an editor of sheets makes of line ends."""
    return re.sub("\r\n?", "\n", text).replace("_x0041_", "A")


def audit_csv(out: Path) -> None:
    """A .csv in LibreOffice: no formula, each text behind at most one apostrophe."""
    import openpyxl

    from pinghu_geo.nouns.inert import given_text

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(out / "表.csv", folder / "t.csv")
        # UTF-8, and formulas computed where the file has any
        reading = "--infilter=CSV:44,34,76,1,,0,false,true,false,false,false,0,true"
        office([folder / "t.csv"], folder, "xlsx", reading)
        with (out / "表.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        sheet = openpyxl.load_workbook(folder / "t.xlsx").active
        count = 0
        for row in sheet.iter_rows():
            for cell in row:
                expect(cell.data_type != "f", f"LibreOffice computes {cell.value!r} of a .csv")
                text = rows[cell.row - 1][cell.column - 1]
                if cell.data_type == "s" and isinstance(cell.value, str):
                    count += 1
                    controls = re.compile(
                        "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_"
                    )
                    same = controls.sub("", flat(given_text(cell.value))) == controls.sub(
                        "", flat(given_text(text))
                    )
                    expect(
                        same, f"LibreOffice, 表.csv {cell.coordinate}: {cell.value!r} for {text!r}"
                    )
    seen["texts"] += count
    seen["files"] += 1
    say(f"csv: {count} texts")


def audit_pages(out: Path) -> None:
    """Maps and boards in Chromium: nothing runs, nothing is asked for, texts are there."""
    from test_browser import browser, requests

    from pinghu_geo.nouns.inert import INNER_PICTURES, cell_text

    pages = sorted(out.rglob("*.html"))
    for path in pages:
        with browser() as driver:
            driver.get(path.as_uri())
            driver.execute_script(
                "document.querySelectorAll('button.n').forEach(function(b){b.click(); window.all = (window.all||'') + "
                "document.querySelector('dialog').textContent; document.querySelector('#x').click();});"
                "if (window.pgMap) [['openNode', pgMap.nodes()], ['openHouse', pgMap.shown()]].forEach("
                "  function (them) { them[1].forEach(function (one) { pgMap[them[0]](one);"
                "    window.all = (window.all||'') + document.body.textContent; }); });"
                "if (window.L) Object.values(window).forEach(function (one) {"
                "  if (one instanceof L.GeoJSON) one.eachLayer(function (l) { try {"
                "    l.fire('click', {latlng: l.getBounds().getCenter()}, true);"
                "    Object.values(l.feature.properties).forEach(function (p) {"
                "      var box = document.createElement('div'); box.innerHTML = p; document.body.appendChild(box);"
                "      window.all = (window.all||'') + box.textContent; }); } catch (e) {} }); });"
            )
            text = driver.execute_script(
                "return document.documentElement.textContent + (window.all || '')"
            )
            hit = driver.execute_script("return window.hit || 0")
            urls = [
                u for u in requests(driver) if u != path.as_uri() and not u.startswith("about:")
            ]
            severe = [e["message"] for e in driver.get_log("browser") if e["level"] == "SEVERE"]
        expect(hit == 0, f"{path.name}: a script of the data ran")
        expect(not urls, f"{path.name} asks for {urls[:3]}")
        expect(not severe, f"{path.name}: {severe[:2]}")
        for sign in ("pwned') is", "49"):
            expect(sign not in text.split("{{")[0] or sign == "49", f"{path.name}: {sign}")
        lost = [
            t for t in given_texts() if cell_text(t).translate(INNER_PICTURES).strip() not in text
        ]
        if path.name == "map.html":
            expect(not lost, f"{path.name} lost {lost[:3]}")
        seen["texts"] += len(given_texts()) - len(lost)
        seen["files"] += 1
        say(
            f"{path.relative_to(out)}: {len(given_texts()) - len(lost)} of {len(given_texts())} payloads shown, 0 run"
        )


def audit_papers(out: Path) -> None:
    """PDF: no script, no action, no address; groups stand in diagrams as given."""
    for path in sorted(out.rglob("*.pdf")):
        raw = path.read_bytes()
        acts = re.findall(
            rb"/(?:JavaScript|JS|URI|Launch|OpenAction|AA|SubmitForm|GoToR|EmbeddedFile)\b", raw
        )
        expect(not acts, f"{path.name}: {acts[:3]}")
        for flag in ("-js", "-url"):
            said = subprocess.run(
                ["pdfinfo", flag, path], capture_output=True, text=True, check=True
            ).stdout
            expect("http" not in said and "window" not in said, f"{path.name}: {said[:200]}")
        text = subprocess.run(
            ["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True
        ).stdout
        if path.name == "time_chainage.pdf":
            expect("{{7*7}}" in text.replace(" ", ""), f"{path.name} lost a group: {text[:300]!r}")
        seen["files"] += 1
        say(f"{path.relative_to(out)}: {len(text)} letters, no actions")


def audit_xml(out: Path) -> None:
    """Plans for MS Project and projects for QGIS: sound XML, no code, no address, names as given."""
    from xml.etree import ElementTree

    from pinghu_geo.nouns.inert import visible_text

    for path in [*sorted(out.rglob("*.xml")), *sorted(out.rglob("*.qgz"))]:
        if path.suffix == ".qgz":
            with zipfile.ZipFile(path) as parts:
                inside = [parts.read(n) for n in parts.namelist() if n.endswith(".qgs")]
        else:
            inside = [path.read_bytes()]
        expect(len(inside) == 1, f"{path.name} holds {len(inside)} projects")
        root = ElementTree.fromstring(inside[0])  # noqa: S314 - entities are looked for below
        heads = re.findall(rb"<!(?!--)[^>]*>", inside[0])
        expect(heads in ([], [b"<!DOCTYPE qgis>"]), f"{path.name}: {heads}")
        texts = [
            t for one in root.iter() for t in (one.text, *one.attrib.values()) if t and t.strip()
        ]
        code = [one.tag for one in root.iter() if re.search("macro|python|action|editforminit", one.tag, re.I)
                and ((one.text or "").strip() or len(one))]  # fmt: skip
        expect(not code, f"{path.name}: {code[:3]}")
        sources = [one.text or "" for one in root.iter("datasource")]
        odd = [s for s in sources if not re.fullmatch(r"\./[^/|]+\.gpkg\|layername=.*", s, re.S)]
        expect(not odd, f"{path.name} reads {odd[:2]}")
        if path.suffix == ".xml":
            groups = [payloads()[k] for k in (0, 10, 17, 29, 28)]
            lost = [g for g in groups if visible_text(g) not in texts]
            expect(not lost, f"{path.name} lost {lost}; it has {texts[:5]}")
        seen["files"] += 1
        seen["texts"] += len(texts)
        say(f"{path.relative_to(out)}: {len(texts):,} texts, no code")


def audit_words(out: Path) -> None:
    """Papers in Word: texts as given to python-docx and LibreOffice, no field but pages, no link."""
    import docx

    from pinghu_geo.nouns.inert import word_text

    papers = sorted(out.rglob("*.docx"))
    held: dict[Path, str] = {}
    for path in papers:
        with zipfile.ZipFile(path) as parts:
            inside = {n: parts.read(n) for n in parts.namelist()}
        acting = [
            n for n in inside if re.search("vba|embed|activex|ole|attached|settings.*rels", n, re.I)
        ]
        expect(not acting, f"{path.name} holds {acting}")
        xml = b"".join(inside.values())
        expect(b'TargetMode="External"' not in xml, f"{path.name} leads outside")
        fields = re.findall(rb"<w:instrText[^>]*>([^<]*)<|w:fldSimple[^>]*w:instr=\"([^\"]*)", xml)
        odd = [f for f in fields if b"".join(f).split()[:1] not in ([b"PAGE"], [b"NUMPAGES"])]
        expect(not odd, f"{path.name}: fields {odd[:3]}")
        paper = docx.Document(str(path))
        held[path] = "\n".join(
            "".join(w.text or "" if w.tag.endswith("}t") else SPACES[w.tag.rpartition("}")[2]]
                    for w in p.iter() if w.tag.rpartition("}")[2] in ("t", *SPACES))
            for p in paper.element.body.iter(f"{{{WORD}}}p")
        )  # fmt: skip
        seen["files"] += 1
    together = "\n".join(held.values())
    # what is blank is no name
    given = [t for t in given_texts() if t.strip()]
    lost = [t for t in given if html.unescape(word_text(t)).strip() not in together]
    expect(not lost, f"papers lost {lost[:5]}")
    seen["texts"] += len(given) - len(lost)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for k, path in enumerate(held):
            shutil.copy(path, folder / f"p{k}.docx")
        office(sorted(folder.glob("p*.docx")), folder, "txt:Text (encoded):UTF8")
        for k, (path, text) in enumerate(held.items()):
            shown = re.sub(r"\s+", "", (folder / f"p{k}.txt").read_text("utf-8-sig"))
            for line in filter(None, (re.sub(r"\s+", "", line) for line in text.split("\n"))):
                seen["texts"] += 1
                expect(line in shown, f"LibreOffice, {path.name}: no {line[:80]!r}")
    say(f"papers: {len(papers)} files in Word, nothing that acts, equal in LibreOffice")


def audit_databases(out: Path, project: Path) -> None:
    """Databases: texts as given, and nothing that acts when they are opened."""
    import pyogrio

    import pinghu_geo as pg

    owners = pg.read_layer(project.parent / "房屋.gpkg", "buildings")["owner"]
    store = project.parent / "campaign.gpkg"
    for path in [*sorted(out.rglob("*.gpkg")), store]:
        with closing(sqlite3.connect(path)) as base:
            acting = base.execute(
                "SELECT name, sql FROM sqlite_master WHERE type IN ('view', 'trigger')"
            ).fetchall()
        odd = [
            n for n, sql in acting if re.search(r"load_extension|writefile|ATTACH", sql or "", re.I)
        ]
        expect(not odd, f"{path.name}: {odd}")
        for name in pyogrio.list_layers(path)[:, 0]:
            frame = pyogrio.read_dataframe(path, layer=name)
            if "owner" in frame and "building_id" in frame:
                same = frame.set_index("building_id")["owner"]
                expect(
                    same.equals(owners.reindex(same.index).rename("owner").astype(same.dtype)),
                    f"{path.name} {name}: owners differ",
                )
                seen["texts"] += len(same)
            if name == "progress" and path == store:  # a field package's are to be filled in
                texts = set(frame["note"].dropna()) | set(frame["blocker"].dropna())
                seen["texts"] += len(texts)
                expect(any("{{" in t for t in texts), f"{path.name}: no notes")
        seen["files"] += 1
    for suffix in (".geojson", ".fgb", ".parquet", ".shp"):
        back = pg.read_layer(out / f"层{suffix}", "buildings")
        both = back["owner"].fillna("") if "owner" in back else None
        if both is not None and suffix != ".shp":
            expect(
                (both == owners.reindex(back.index).fillna("")).all(), f"层{suffix}: owners differ"
            )
            seen["texts"] += len(both)
        seen["files"] += 1
    import ezdxf

    from pinghu_geo.nouns.inert import drawing_text

    texts = {
        e.plain_text() for e in ezdxf.readfile(out / "图.dxf").modelspace() if e.dxftype() == "TEXT"
    }
    lost = [t for t in payloads() if drawing_text(t).replace("^ ", "^") not in texts]
    expect(not lost, f"图.dxf lost {lost[:3]}")
    seen["texts"] += len(texts)
    say(f"databases, layers: read as given; {len(texts)} texts in the drawing")


def audit_names(out: Path, root: Path) -> None:
    """No file outside, none with a name that a system refuses."""
    for path in out.rglob("*"):
        expect(
            len(path.name.encode()) <= 255 and not re.search(r'[<>:"|?*\\\x00-\x1f]', path.name),
            f"name {path.name!r}",
        )
    strays = {p.name for p in root.iterdir()} - {"given", "out"}
    expect(not strays, f"strays: {strays}")
    expect(
        not Path("pwned").exists() and not list(root.rglob("ESC*")), "a template or a path escaped"
    )
    for path in [*out.rglob("*.txt"), *out.rglob("*.json")]:
        said = path.read_text("utf-8")
        if path.suffix == ".json":
            json.loads(said)
        expect(
            not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", said),
            f"{path.name} moves the cursor",
        )


def main() -> int:
    """Make, open, compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sample", type=Path)
    given = parser.parse_args()
    if missing := [n for n in NEEDED if shutil.which(n) is None]:
        say(f"needs {', '.join(missing)}")
        return 77
    warnings.simplefilter("ignore")
    with listening(), tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for sub in ("given", "out"):
            (root / sub).mkdir()
        out: Any = root / "out"
        if given.sample:
            import pinghu_geo as pg

            project = make_sample(root / "given")
            pg.run_project(project, out / "结果")
            shutil.copytree(out, given.sample, dirs_exist_ok=True)
            audit_books(out)
            audit_pages(out)
        else:
            project = make_project(root / "given")
            make_outputs(project, out)
            audit_names(out, root)
            audit_databases(out, project)
            audit_books(out)
            audit_csv(out)
            audit_papers(out)
            audit_words(out)
            audit_xml(out)
            audit_pages(out)
    expect(not asked, f"asked for: {asked[:3]}")
    say(f"{len(payloads())} payloads, {seen['files']} files, {seen['texts']:,} texts held against what was given, "
        f"{len(asked)} requests, {len(wrong)} wrong")  # fmt: skip
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
