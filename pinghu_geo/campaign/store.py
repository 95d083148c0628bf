"""Where are the reports kept? In a GeoPackage beside the project, or in an office's database."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from pinghu_geo.campaign.baseline import DATES, HISTORY, Baseline
from pinghu_geo.campaign.progress import LOG_COLUMNS
from pinghu_geo.nouns.errors import LayerError, ProjectError
from pinghu_geo.nouns.replacing import in_words, require_place

__all__ = ["CampaignStore", "open_store"]

POSTGRES = ("postgresql://", "postgres://")
# GeoPackage 1.3 (OGC 12-128r17, 1.1.1.1.1): "GPKG" and the version in the header
APPLICATION_ID, USER_VERSION = 0x47504B47, 10300
WAIT_S = 120
VERSION = 2  # of the tables; 1 had no dates, and no table that says its version
LOCK = 0x70696E67  # of PostgreSQL's advisory locks: one writer a schema
GPKG = """
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY,
 organization TEXT NOT NULL, organization_coordsys_id INTEGER NOT NULL,
 definition TEXT NOT NULL, description TEXT);
INSERT INTO gpkg_spatial_ref_sys VALUES
 ('Undefined cartesian SRS', -1, 'NONE', -1, 'undefined', NULL),
 ('Undefined geographic SRS', 0, 'NONE', 0, 'undefined', NULL),
 ('WGS 84 geodetic', 4326, 'EPSG', 4326, 'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",
6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]', NULL);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL,
 identifier TEXT UNIQUE, description TEXT DEFAULT '', last_change DATETIME NOT NULL
 DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), min_x DOUBLE, min_y DOUBLE, max_x DOUBLE,
 max_y DOUBLE, srs_id INTEGER REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL PRIMARY KEY, column_name TEXT NOT NULL,
 geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL);
INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES
 ('progress', 'attributes', '进度记录', 0), ('adopted_nodes', 'attributes', '采用方案节点', 0),
 ('campaign', 'attributes', '征拆项目', 0)
"""
TABLES = """
CREATE TABLE {s}progress (fid {serial}, building_id TEXT, tenant_id TEXT, stage TEXT NOT NULL,
 date DATE NOT NULL, correction TEXT, {q}by{q} TEXT, blocker TEXT, note TEXT, photo TEXT,
 source TEXT);
CREATE UNIQUE INDEX progress_report ON {s}progress (coalesce(building_id, ''),
 coalesce(tenant_id, ''), stage, date, coalesce(correction, ''));
CREATE TABLE {s}adopted_nodes (fid {serial}, building_id TEXT NOT NULL UNIQUE,
 node_id TEXT);
CREATE TABLE {s}campaign (fid {serial}, project TEXT NOT NULL, scheme TEXT)
"""
# the plan as adopted, and those that it took the place of
BASELINE_TABLES = f"""
CREATE TABLE {{s}}baselines (fid {{serial}}, number INTEGER NOT NULL UNIQUE, as_of DATE NOT NULL,
 kept_on DATE NOT NULL, reason TEXT NOT NULL, given TEXT NOT NULL, goals TEXT NOT NULL,
 shortage TEXT NOT NULL, reaches TEXT NOT NULL);
CREATE TABLE {{s}}baseline_dates (fid {{serial}}, baseline INTEGER NOT NULL, node_id TEXT NOT NULL,
 stage TEXT NOT NULL, as_of DATE NOT NULL, kept_on DATE NOT NULL,
 {", ".join(f"{name} {kind}" for name, kind in DATES.items())}, UNIQUE (baseline, node_id, stage));
CREATE TABLE {{s}}store_version (fid {{serial}}, version INTEGER NOT NULL);
INSERT INTO {{s}}store_version (version) VALUES ({VERSION})
"""
GPKG_BASELINE = """
INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES
 ('baselines', 'attributes', '基准计划', 0), ('baseline_dates', 'attributes', '基准工期', 0),
 ('store_version', 'attributes', '库版本', 0)
"""
# what was reported stays: a mistake is corrected by a report
APPEND_ONLY_SQLITE = """
CREATE TRIGGER progress_no_update BEFORE UPDATE ON progress BEGIN
 SELECT RAISE(ABORT, 'progress is append-only: add a correction'); END;;
CREATE TRIGGER progress_no_delete BEFORE DELETE ON progress BEGIN
 SELECT RAISE(ABORT, 'progress is append-only: add a correction'); END
"""
APPEND_ONLY_POSTGRES = """
CREATE FUNCTION {s}append_only() RETURNS trigger LANGUAGE plpgsql AS
 $$ BEGIN RAISE EXCEPTION 'progress is append-only: add a correction'; END $$;;
CREATE TRIGGER progress_append_only BEFORE UPDATE OR DELETE ON {s}progress
 FOR EACH ROW EXECUTE FUNCTION {s}append_only()
"""
# what was promised stays: another plan is added
BASELINE_STAYS_SQLITE = ";;".join(
    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN"
    " SELECT RAISE(ABORT, 'adopted plans stay: adopt another'); END"
    for table in ("baselines", "baseline_dates")
    for verb in ("UPDATE", "DELETE")
)
BASELINE_STAYS_POSTGRES = """
CREATE FUNCTION {s}adopted_plans_stay() RETURNS trigger LANGUAGE plpgsql AS
 $$ BEGIN RAISE EXCEPTION 'adopted plans stay: adopt another'; END $$;;
CREATE TRIGGER baselines_stay BEFORE UPDATE OR DELETE ON {s}baselines
 FOR EACH ROW EXECUTE FUNCTION {s}adopted_plans_stay();;
CREATE TRIGGER baseline_dates_stay BEFORE UPDATE OR DELETE ON {s}baseline_dates
 FOR EACH ROW EXECUTE FUNCTION {s}adopted_plans_stay()
"""
INSERT = list(LOG_COLUMNS)
Check = Callable[[pd.DataFrame], pd.DataFrame]


class CampaignStore(Protocol):
    """A place where reports are only ever added 进度库."""

    def log(self) -> pd.DataFrame:
        """All reports, in the order of their arrival; the index is their number."""

    def nodes(self) -> pd.Series:
        """Node of each affected building as adopted, NA where it isn't a task; empty before."""

    def scheme(self) -> str | None:
        """The scheme that was adopted."""

    def require_writable(self) -> None:
        """Refuse, before the work, a place where nothing could be kept."""

    def baseline(self) -> Baseline | None:
        """The plan as adopted; None before, and in a store made before dates were kept."""

    def adopt(
        self,
        scheme: str,
        nodes: pd.Series,
        plan: Baseline | None = None,
        *,
        again: bool = False,
    ) -> int:
        """Freeze the nodes of a scheme and the dates of a plan; what is frozen stays.

        Returns of how many nodes dates were kept; ``again`` keeps all, as the next plan.
        """

    def append(self, check: Check) -> int:
        """Add what ``check`` makes of the log as it stands, all or nothing; how many were added."""


def open_store(
    place: str | Path, project: str, *, schema: str = "pinghu_campaign"
) -> CampaignStore:
    """The store of a project's campaign; made by the first thing kept in it 进度库.

    Parameters
    ----------
    place
        Path of a ``.gpkg``, or ``postgresql://user@host/base``.
    project
        Name of the project: a store of another one is refused.
    schema
        Of a database.

    Returns
    -------
    CampaignStore
        With ``log()``, ``nodes()``, ``scheme()``, ``adopt(scheme, nodes)`` and ``append(check)``.

    Raises
    ------
    ProjectError
        The place is neither.

    Notes
    -----
    Reports are only ever added: the tables refuse changes and deletions. A file's reports land in
    one transaction, one writer at a time; whoever waits sees what the other has written.

    Examples
    --------
    >>> store = pg.campaign.open_store(folder / "campaign.gpkg", "示例")
    >>> store.adopt("寻优方案", pd.Series({"B1": "A-L-001"}))  # dates of no node
    0
    >>> store.scheme(), store.nodes().to_dict()
    ('寻优方案', {'B1': 'A-L-001'})
    """
    if str(place).startswith(POSTGRES):
        return _Postgres(str(place), project, schema)
    path = Path(place)
    if path.suffix.lower() != ".gpkg":
        raise ProjectError(
            f"store = {str(place)!r} is no .gpkg and no database",
            hint='store = "campaign.gpkg" or "postgresql://user@host/base"',
        )
    return _GeoPackage(path, project)


class _SqlStore:
    """What both kinds of store do, in SQL that both understand."""

    project: str
    mark = "?"
    prefix = ""
    serial = ""

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """A connection with a settled state; None where nothing was ever kept."""
        raise NotImplementedError

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """A connection that alone writes; all of it lands, or nothing."""
        raise NotImplementedError

    def require_writable(self) -> None:
        """A database says it when it is written to."""

    def rows(self, base: Any, query: str, given: tuple[Any, ...] = ()) -> list[Any]:
        """Rows of a query."""
        return list(base.execute(query.format(s=self.prefix, m=self.mark), given).fetchall())

    def require_own(self, base: Any) -> str | None:
        """The adopted scheme; refused where the store is another project's, or too new."""
        if "store_version" in self.tables(base):
            version = self.rows(base, "SELECT max(version) FROM {s}store_version")[0][0]
            if version is not None and version > VERSION:
                raise ProjectError(
                    f"the store is of version {version}, and this pinghu_geo knows {VERSION}: "
                    "a newer one wrote it",
                    hint="pip install --upgrade pinghu_geo",
                )
        kept = self.rows(base, "SELECT project, scheme FROM {s}campaign ORDER BY fid")
        if not kept:
            return None
        if kept[0][0] != self.project:
            raise ProjectError(
                f"the store is of another project: {kept[0][0]}, not {self.project}",
                hint='name another store in [campaign]: store = "..."',
            )
        return kept[0][1]  # type: ignore[no-any-return]

    def scheme(self) -> str | None:
        """The scheme that was adopted."""
        with self.reading() as base:
            return None if base is None else self.require_own(base)

    def log(self) -> pd.DataFrame:
        """All reports, in the order of their arrival."""
        with self.reading() as base:
            if base is None:
                return self._frame_of_log([])
            self.require_own(base)
            return self._frame_of_log(self._rows_of_log(base))

    def nodes(self) -> pd.Series:
        """Node of each affected building as adopted, NA where it isn't a task."""
        with self.reading() as base:
            found = []
            if base is not None:
                self.require_own(base)
                found = self.rows(
                    base, "SELECT building_id, node_id FROM {s}adopted_nodes ORDER BY fid"
                )
        ids = pd.Index([b for b, _ in found], name="building_id", dtype="str")
        return pd.Series([n for _, n in found], ids, name="node_id", dtype="str")

    def baseline(self) -> Baseline | None:
        """The plan as adopted, with those before it."""
        with self.reading() as base:
            if base is None or self.require_own(base) is None:
                return None
            if "baselines" not in self.tables(base):
                return None
            names = "number, as_of, reason, given, goals, shortage, reaches"
            plans = self.rows(base, f"SELECT {names} FROM {{s}}baselines ORDER BY number")
            if not plans:
                return None
            columns = ["node_id", "stage", *DATES, "as_of"]
            dates = self.rows(
                base,
                f"SELECT {', '.join(columns)} FROM {{s}}baseline_dates WHERE baseline = {{m}} "
                "ORDER BY fid",
                (plans[-1][0],),
            )
        before = pd.DataFrame([row[:3] for row in plans], columns=HISTORY)
        before["as_of"] = pd.to_datetime(before["as_of"])
        number, _, reason, *texts = plans[-1]
        given, *tables = (json.loads(text) for text in texts)
        goals, shortage, reaches = (pd.DataFrame(t["rows"], columns=t["columns"]) for t in tables)
        return Baseline(
            int(number), before["as_of"].iloc[-1], reason, given,
            goals, shortage, reaches,
            _typed_dates(pd.DataFrame(dates, columns=columns)), before.iloc[:-1],
        )  # fmt: skip

    def adopt(
        self,
        scheme: str,
        nodes: pd.Series,
        plan: Baseline | None = None,
        *,
        again: bool = False,
    ) -> int:
        """Freeze nodes and dates; what came later is added, nothing is changed."""
        with self.writing() as base:
            kept = self.require_own(base)
            if kept is not None and kept != scheme:
                raise ProjectError(
                    f"two schemes are adopted: {kept} in the store, {scheme} in the project",
                    hint=f'adopted = "{kept}", or another store for another campaign',
                )
            if kept is None:
                query = f"UPDATE {self.prefix}campaign SET scheme = {self.mark}"
                base.execute(query, (scheme,))
            old = dict(self.rows(base, "SELECT building_id, node_id FROM {s}adopted_nodes"))
            said = [(str(b), str(n) if pd.notna(n) else None) for b, n in nodes.items()]
            new = [(b, n) for b, n in said if b not in old]
            self._insert_rows(base, "adopted_nodes", ["building_id", "node_id"], new)
            # what was open on the day of adoption and has become a task
            settled = [(n, b) for b, n in said if n and b in old and old[b] is None]
            query = f"UPDATE {self.prefix}adopted_nodes SET node_id = {self.mark} WHERE building_id"
            self.many(base, f"{query} = {self.mark}", settled)
            return 0 if plan is None else self._keep_dates(base, plan, again)

    def _keep_dates(self, base: Any, plan: Baseline, again: bool) -> int:
        """Add the dates that aren't kept yet, or all as the next plan; of how many nodes."""
        if "baselines" not in self.tables(base):  # made before dates were kept
            self._create_baseline_tables(base)
        last = self.rows(base, "SELECT max(number) FROM {s}baselines")[0][0]
        today, as_of = date.today().isoformat(), f"{plan.as_of:%Y-%m-%d}"  # noqa: DTZ011 - of the office
        number = (last or 0) + (1 if again or last is None else 0)
        if number != last:
            texts = [
                json.dumps(dict(plan.given), ensure_ascii=False),
                *(
                    json.dumps(
                        {"columns": list(t.columns), "rows": t.astype(object).to_numpy().tolist()},
                        ensure_ascii=False,
                    )
                    for t in (plan.goals, plan.shortage, plan.reaches)
                ),
            ]
            columns = ["number", "as_of", "kept_on", "reason"]
            columns += ["given", "goals", "shortage", "reaches"]
            self._insert_rows(
                base, "baselines", columns, [(number, as_of, today, plan.reason, *texts)]
            )
        query = "SELECT node_id, stage FROM {s}baseline_dates WHERE baseline = {m}"
        known = set(map(tuple, self.rows(base, query, (number,))))
        rows = [row for row in _rows_of_dates(plan.dates) if row[:2] not in known]
        columns = ["baseline", "as_of", "kept_on", "node_id", "stage", *DATES]
        self._insert_rows(
            base, "baseline_dates", columns, [(number, as_of, today, *row) for row in rows]
        )
        return len({row[0] for row in rows})

    def tables(self, base: Any) -> set[str]:
        """Names of the tables that are there."""
        raise NotImplementedError

    def _create_baseline_tables(self, base: Any) -> None:
        made = BASELINE_TABLES.format(s=self.prefix, serial=self.serial)
        for text in made.split(";\n"):
            base.execute(text)

    def append(self, check: Check) -> int:
        """Add what ``check`` makes of the log as it stands, all or nothing."""
        with self.writing() as base:
            self.require_own(base)
            new = check(self._frame_of_log(self._rows_of_log(base)))
            days = new["date"].dt.strftime("%Y-%m-%d")
            texts = new.assign(date=days)[INSERT].astype(object)
            table = texts.where(texts.notna(), None)
            self._insert_rows(
                base, "progress", INSERT, list(table.itertuples(index=False, name=None))
            )
            return len(new)

    def _rows_of_log(self, base: Any) -> list[Any]:
        columns = ", ".join(f'"{c}"' for c in ("fid", *LOG_COLUMNS))
        return self.rows(base, f"SELECT {columns} FROM {{s}}progress ORDER BY fid")

    def _frame_of_log(self, rows: list[Any]) -> pd.DataFrame:
        table = pd.DataFrame(rows, columns=["fid", *LOG_COLUMNS]).set_index("fid")
        table["date"] = pd.to_datetime(table["date"]).astype("datetime64[ns]")
        text = [c for c in LOG_COLUMNS if c != "date"]
        table[text] = table[text].astype("str").where(table[text].notna())
        return table

    def _insert_rows(self, base: Any, table: str, columns: list[str], rows: list[Any]) -> None:
        names = ", ".join(f'"{c}"' for c in columns)
        marks = ", ".join([self.mark] * len(columns))
        self.many(base, f"INSERT INTO {self.prefix}{table} ({names}) VALUES ({marks})", rows)

    def many(self, base: Any, query: str, rows: list[Any]) -> None:
        """One statement for many rows."""
        base.executemany(query, rows)


class _GeoPackage(_SqlStore):
    """Reports in a GeoPackage, with SQLite's own journal: whole after a crash at any moment."""

    serial = "INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL"

    def __init__(self, path: Path, project: str) -> None:
        self.path, self.project = path, project

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """One settled state of the file."""
        if not self.path.exists() or not self.path.stat().st_size:
            yield None
            return
        with self._open_base() as base:
            base.execute("BEGIN")
            there = self._has_tables(base)
            yield base if there else None
            base.execute("ROLLBACK")

    def require_writable(self) -> None:
        """Refuse a file, or a folder for SQLite's journal, that can't be written."""
        if not self.path.parent.is_dir():
            raise ProjectError(f"{self.path.parent} is no folder, so nothing can be kept there")
        require_place(self.path)
        with in_words(self.path):
            if self.path.exists() and not os.access(self.path, os.W_OK):
                raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(self.path))

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """The only writer, until all is on the disk."""
        if not self.path.exists():
            self.require_writable()
        with self._open_base() as base:
            base.execute("BEGIN IMMEDIATE")
            try:
                if not self._has_tables(base):
                    self._create_tables(base)
                    self._insert_rows(base, "campaign", ["project"], [(self.project,)])
                yield base
            except BaseException:
                base.execute("ROLLBACK")
                raise
            base.execute("COMMIT")

    @contextmanager
    def _open_base(self) -> Iterator[Any]:
        try:
            base = sqlite3.connect(self.path, timeout=WAIT_S, isolation_level=None)
            try:
                base.execute("PRAGMA synchronous = FULL")
                yield base
            finally:
                base.close()
        except sqlite3.Error as fault:
            raise LayerError(
                f"{self.path.name} can't be read or written: {fault}",
                layer="store",
                hint="close it in other programs; if it is damaged, take the last copy",
            ) from fault

    def _has_tables(self, base: Any) -> bool:
        names = self.tables(base)
        if names and not {"progress", "adopted_nodes", "campaign"} <= names:
            raise ProjectError(
                f"{self.path.name} is a GeoPackage of something else",
                hint='name another file: store = "campaign.gpkg"',
            )
        return bool(names)

    def tables(self, base: Any) -> set[str]:
        """Names of the file's tables."""
        return {n for (n,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def _create_baseline_tables(self, base: Any) -> None:
        super()._create_baseline_tables(base)
        base.execute(GPKG_BASELINE)
        for text in BASELINE_STAYS_SQLITE.split(";;"):
            base.execute(text)

    def _create_tables(self, base: Any) -> None:
        base.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        base.execute(f"PRAGMA user_version = {USER_VERSION}")
        tables = TABLES.format(s="", q='"', serial=self.serial)
        for text in (*GPKG.split(";\n"), *tables.split(";\n")):
            base.execute(text)
        for text in APPEND_ONLY_SQLITE.split(";;"):
            base.execute(text)
        self._create_baseline_tables(base)


class _Postgres(_SqlStore):
    """Reports in a PostgreSQL database: one schema a campaign."""

    mark = "%s"
    serial = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"

    def __init__(self, place: str, project: str, schema: str) -> None:
        self.place, self.project, self.schema = place, project, schema
        quoted = schema.replace('"', '""')
        self.prefix = f'"{quoted}".'

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """One settled state of the schema."""
        with self._open_base() as base:
            base.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield base if self._has_tables(base) else None

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """The only writer of the schema, until the commit."""
        with self._open_base() as base:
            base.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (LOCK, self.schema))
            if not self._has_tables(base):
                self._create_tables(base)
                self._insert_rows(base, "campaign", ["project"], [(self.project,)])
            yield base

    @contextmanager
    def _open_base(self) -> Iterator[Any]:
        try:
            import psycopg
        except ImportError as fault:
            raise ProjectError(
                "psycopg isn't installed", hint='pip install "pinghu_geo[postgis]"'
            ) from fault
        try:
            with psycopg.connect(self.place, connect_timeout=10) as base:
                yield base
        except psycopg.Error as fault:
            # the address may hold a password: it stays out of the message
            raise LayerError(
                f"the database can't be read or written: {str(fault).strip().splitlines()[0]}",
                layer="store",
                hint='store = "postgresql://user@host/base"',
            ) from fault

    def _has_tables(self, base: Any) -> bool:
        return {"progress", "adopted_nodes", "campaign"} <= self.tables(base)

    def tables(self, base: Any) -> set[str]:
        """Names of the schema's tables."""
        query = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
        return {name for (name,) in base.execute(query, (self.schema,)).fetchall()}

    def _create_tables(self, base: Any) -> None:
        base.execute(f"CREATE SCHEMA IF NOT EXISTS {self.prefix[:-1]}")
        tables = TABLES.format(s=self.prefix, q='"', serial=self.serial)
        for text in tables.split(";\n"):
            base.execute(text)
        for text in APPEND_ONLY_POSTGRES.format(s=self.prefix).split(";;"):
            base.execute(text)
        self._create_baseline_tables(base)

    def _create_baseline_tables(self, base: Any) -> None:
        super()._create_baseline_tables(base)
        for text in BASELINE_STAYS_POSTGRES.format(s=self.prefix).split(";;"):
            base.execute(text)

    def many(self, base: Any, query: str, rows: list[Any]) -> None:
        """One statement for many rows."""
        with base.cursor() as cursor:
            cursor.executemany(query, rows)


def _typed_dates(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of dates as a base gives them, in the types of a plan."""
    for column, kind in {**DATES, "as_of": "DATE"}.items():
        if kind == "DATE":
            table[column] = pd.to_datetime(table[column]).astype("datetime64[ns]")
        elif kind == "INTEGER":
            table[column] = pd.to_numeric(table[column]).astype("Int64")
    return table


def _rows_of_dates(dates: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Dates of a plan as a base takes them: days as text, whole numbers, None for unknown."""
    columns: dict[str, list[Any]] = {}
    for column, kind in {"node_id": "TEXT", "stage": "TEXT", **DATES}.items():
        values = dates[column]
        if kind == "DATE":
            days = pd.to_datetime(values)
            columns[column] = [None if pd.isna(d) else f"{d:%Y-%m-%d}" for d in days]
        else:
            made: Any = int if kind == "INTEGER" else str
            columns[column] = [None if pd.isna(v) else made(v) for v in values]
    return list(zip(*columns.values(), strict=True))
