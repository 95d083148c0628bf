"""How is a table of a PostGIS database read? With its own index, and names that are only names."""

from __future__ import annotations

import re
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from pinghu_geo.intake.bounds import without_nests
from pinghu_geo.intake.conditions import Condition, Node, weaker
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.schema import nearest

__all__ = ["read_postgis"]

TABLES = """SELECT f_table_schema, f_table_name, f_geometry_column, srid FROM geometry_columns
ORDER BY 1, 2, 3"""


def read_postgis(
    source: str,
    what: str,
    layer: str | None,
    boxes: NDArray[np.float64] | None,
    condition: Condition | None = None,
    first: int | None = None,
) -> gpd.GeoDataFrame:
    """A table of a database: ``layer`` is its name, with its schema where several have it.

    The connection is read-only. Of ``boxes``, and of what of the condition every database compares
    alike, its own indices make use.
    """
    try:
        import psycopg
    except ImportError as fault:
        raise LayerError(
            "psycopg isn't installed", layer=what, hint='pip install "pinghu_geo[postgis]"'
        ) from fault
    password = _password_in_address(source, what)
    said = ""
    try:
        with psycopg.connect(source, connect_timeout=10) as base:
            base.read_only = True
            schema, table, column, srid = _table_of_layer(base, what, layer)
            names, rows = _names_and_rows(
                base, psycopg.sql, (schema, table, column, srid), boxes, condition, first
            )
            crs = _crs_of_srid(base, srid)
    except psycopg.Error as fault:
        said = (str(fault).strip() or type(fault).__name__).splitlines()[0]
    if said:  # and no longer within the except: what psycopg raised may hold the password
        raise LayerError(
            f"the database can't be read: {said.replace(password, '***') if password else said}",
            layer=what,
            hint='pg.read_layer("postgresql://user@host/base", ..., layer="schema.table")',
            fault="unreadable",
        )
    columns = list(zip(*rows, strict=True)) or [() for _ in (*names, column)]
    shapes = shapely.from_wkb(without_nests([None if b is None else bytes(b) for b in columns[-1]]))
    data = {name: list(values) for name, values in zip(names, columns, strict=False)}
    return gpd.GeoDataFrame(data, geometry=shapes, crs=crs)


def _password_in_address(source: str, what: str) -> str:
    """The password in an address, to keep it out of messages; refuse an address cut amiss by it."""
    from psycopg import Error
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(source)
        amiss = "@" in f"{parts.get('host', '')}{parts.get('dbname', '')}" or not re.fullmatch(
            r"[\d,]*", str(parts.get("port", ""))
        )
    except Error:
        amiss = True
    if amiss:
        raise LayerError(
            "the address of the database can't be understood",
            layer=what,
            hint="write postgresql://user@host/base, the password in PGPASSWORD or a .pgpass file; "
            "in an address, @ : / ? # % and blanks of a password are %40 %3A %2F %3F %23 %25 %20",
            fault="unreadable",
        )
    return str(parts.get("password", ""))


def _table_of_layer(base: Any, what: str, layer: str | None) -> tuple[str, str, str, int]:
    """Schema, table, geometry column and SRID of the layer asked for, or of the only one."""
    known = {f"{s}.{t}": (s, t, c, i) for s, t, c, i in base.execute(TABLES).fetchall()}
    fits = [k for k in known if layer in (None, k, k.split(".", 1)[1])]
    if len(fits) != 1:
        names = ", ".join(fits or known) or "none"
        raise LayerError(
            f"the database has {len(fits)} such tables with geometry: {names}",
            layer=what,
            hint=nearest(layer, known) if layer and not fits else 'layer="schema.table"',
        )
    return known[fits[0]]


def _names_and_rows(
    base: Any,
    sql: Any,
    table: tuple[str, str, str, int],
    boxes: Any,
    condition: Condition | None,
    first: int | None,
) -> tuple[list[str], Any]:
    """Names of the columns but the geometry's, and the rows with its WKB last."""
    schema, name, column, srid = table
    frame = sql.Identifier(schema, name)
    shown = base.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(frame)).description
    names = [d.name for d in shown if d.name != column]
    query = sql.SQL("SELECT {} FROM {}").format(
        sql.SQL(", ").join(
            [
                *map(sql.Identifier, names),
                sql.SQL("ST_AsBinary({})").format(sql.Identifier(column)),
            ]
        ),
        frame,
    )
    asked, given = [], []
    if boxes is not None:
        meets = sql.SQL("{} && ST_MakeEnvelope(%s, %s, %s, %s, %s)").format(sql.Identifier(column))
        asked.append(sql.SQL("({})").format(sql.SQL(" OR ").join([meets] * len(boxes))))
        given += [number for box in boxes.tolist() for number in (*box, srid)]
    kinds = {d.name: KINDS[d.type_code] for d in shown if d.type_code in KINDS}
    node = None if condition is None else weaker(condition, kinds)
    if node is not None:
        text, values = _sql_of_node(node, sql)
        asked.append(text)
        given += values
    if asked:
        query += sql.SQL(" WHERE ") + sql.SQL(" AND ").join(asked)
    if first is not None:
        query += sql.SQL(" LIMIT %s")
        given.append(first)
    return names, base.execute(query, given).fetchall()


# types of PostgreSQL, by their numbers: int8, int2, int4, float4, float8, numeric; text, varchar
KINDS = dict.fromkeys((20, 21, 23, 700, 701, 1700), "number") | dict.fromkeys((25, 1043), "text")


def _sql_of_node(node: Node, sql: Any) -> tuple[Any, list[Any]]:
    """A weaker condition for PostgreSQL: names are identifiers, constants are handed over apart."""
    match node:
        case ("and" | "or" as word, parts):
            found = [_sql_of_node(part, sql) for part in parts]
            between = sql.SQL(" AND " if word == "and" else " OR ")
            text = sql.SQL("({})").format(between.join(one for one, _ in found))
            return text, [value for _, values in found for value in values]
        case ("known", name):
            return sql.SQL("{} IS NOT NULL").format(sql.Identifier(name)), []
        case ("holds", name, text):
            return sql.SQL("strpos({}, %s) > 0").format(sql.Identifier(name)), [text]
        case (_, name, sign, value):
            said = "<>" if sign == "!=" else sign
            column = sql.SQL("{}::float8").format(sql.Identifier(name))
            return column + sql.SQL(f" {said} %s"), [value]
    raise AssertionError(node)


def _crs_of_srid(base: Any, srid: int) -> CRS | None:
    """The CRS of an SRID, which is not always EPSG's."""
    if not srid:
        return None
    row = base.execute(
        "SELECT auth_name, auth_srid, srtext FROM spatial_ref_sys WHERE srid = %s", [srid]
    ).fetchone()
    if row is None:
        return None
    return CRS.from_user_input(f"{row[0]}:{row[1]}" if row[0] else row[2])
