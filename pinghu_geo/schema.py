"""What are the nouns? The columns of every table, as data: type, unit, 中文, aliases, range.

Whatever names a delivery uses, the rest of the library sees only the names in this module, and
whatever the library shows to people, it takes the Chinese words from here.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
import shapely

from pinghu_geo.errors import CRSError, LayerError

__all__ = ["NOUNS", "Column", "Noun", "canonical_codes", "label", "match_columns", "noun"]

Dtype = Literal["text", "float", "int", "bool", "code", "date", "chainage"]
Lang = Literal["zh", "en"]

# Fields of a .dbf hold 10 bytes of a name: 5 Chinese characters in GBK, 3 in UTF-8.
DBF_NAME_BYTES = 10


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    ``codes`` maps each code to the words that deliveries use for it; the first is its label.
    """

    name: str
    dtype: Dtype
    zh: str
    unit: str = ""
    required: bool = False
    aliases: tuple[str, ...] = ()
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Noun:
    """One kind of table: its index, its geometry and its columns."""

    name: str
    zh: str
    index: str | None
    geometry: tuple[str, ...]
    columns: tuple[Column, ...]

    def __getitem__(self, name: str) -> Column:
        """Column by its canonical name."""
        return next(c for c in self.columns if c.name == name)

    @property
    def required(self) -> list[str]:
        """Names of the columns that can't be missing."""
        return [c.name for c in self.columns if c.required]


USE = {
    "residential": ("住宅", "居住", "民宅", "成套住宅", "宿舍", "house", "apartments", "dormitory"),
    "mixed": ("商住", "商住混合", "商住两用", "综合"),
    "commercial": ("商业", "商铺", "商服", "retail", "shop"),
    "industrial": ("工业", "厂房", "工业厂房", "factory"),
    "storage": ("仓储", "仓库", "warehouse", "shed"),
    "office": ("办公", "办公楼"),
    "public": ("公共设施", "公共", "公建", "公共管理与公共服务", "school", "hospital"),
    "other": ("其他", "其它"),
}
STRUCTURE = {
    "concrete": ("钢筋混凝土", "钢混", "框架", "钢筋混凝土结构", "框架结构", "钢混结构"),
    "brick_concrete": ("砖混", "混合", "混合结构", "砖混结构"),
    "brick_wood": ("砖木", "砖木结构"),
    "steel": ("钢", "钢结构"),
    "light": ("简易", "铁皮", "铁皮房", "简易结构", "棚房"),
    "other": ("其他", "其它", "其他结构"),
}
TITLE = {
    "registered": ("有证", "已登记", "有产权证"),
    "historical": ("历史遗留", "历史遗留违法建筑", "历史遗留建筑"),
    "unregistered": ("无证", "未登记", "违法建筑"),
}
TENURE = {
    "private": ("私有", "个人", "私人"),
    "collective": ("集体", "集体所有"),
    "state": ("国有", "国家所有"),
}
SOURCE = {"surveyed": ("实测", "测绘"), "estimated": ("估算", "推算")}
BANK = {"left": ("左岸", "左", "L"), "right": ("右岸", "右", "R"), "both": ("两岸", "跨河")}
EXTENT = {"full": ("全部", "全部压占"), "partial": ("部分", "部分压占")}
KIND = {
    "works": ("工程红线", "红线"),
    "management": ("河道管理范围线", "管理范围"),
    "blue": ("蓝线", "河道蓝线"),
}
ZONE = {
    "renewal": ("城市更新", "更新"),
    "consolidation": ("土地整备", "整备"),
    "other": ("其他项目", "其他"),
}
STATUS = {
    "todo": ("未启动", "未签约"),
    "signed": ("已签约",),
    "vacated": ("已腾空",),
    "demolished": ("已拆除",),
    "handed_over": ("已移交", "已移交施工作业面"),
}
CHANGE = {
    "saved": ("避免拆除",),
    "added": ("新增拆除",),
    "less": ("压占减少",),
    "more": ("压占增加",),
}

_RIVER = Column(
    "river",
    "text",
    "河道",
    required=True,
    aliases=("河流", "河道名称", "河流名称", "河名", "RIVER"),
)
_FLOOR_AREA = Column(
    "floor_area_m2",
    "float",
    "建筑面积",
    "m²",
    aliases=("SCJZMJ", "实测建筑面积", "总建筑面积", "JZMJ", "建筑面积㎡"),
    minimum=0,
)
_FROM = Column("from_m", "chainage", "起点桩号", "m", aliases=("起始桩号", "起点", "FROM"))
_TO = Column("to_m", "chainage", "终点桩号", "m", aliases=("终止桩号", "终点", "TO"))
_GROUP = Column("group", "text", "责任组", aliases=("责任小组", "包干组", "工作组"))
_LEADER = Column("leader", "text", "责任人", aliases=("组长", "负责人"))
_BANK = Column("bank", "code", "岸别", aliases=("岸",), codes=BANK)
_COST = Column("cost_yuan", "float", "补偿金额", "元", minimum=0)
_TENANTS = Column(
    "tenants", "int", "租户数", "户", aliases=("租户", "承租户数", "承租户"), minimum=0
)
_START = Column("start", "date", "开始日期", aliases=("计划开始", "开始时间"))
_DUE = Column("due", "date", "完成期限", aliases=("完成时限", "计划完成", "截止日期"))

_NOUNS = (
    Noun(
        "buildings",
        "房屋",
        "building_id",
        ("Polygon", "MultiPolygon"),
        (
            Column(
                "building_id",
                "text",
                "房屋编号",
                required=True,
                aliases=(
                    "房屋编码",
                    "幢编号",
                    "自然幢号",
                    "ZRZH",
                    "BDCDYH",
                    "不动产单元号",
                    "osm_id",
                    "full_id",
                    "bldg_id",
                    "FWBH",
                ),
            ),
            Column(
                "footprint_m2",
                "float",
                "基底面积",
                "m²",
                minimum=0,
                aliases=("ZZDMJ", "幢占地面积", "占地面积", "建筑占地面积", "基底面积㎡"),
            ),
            Column(
                "floors",
                "int",
                "层数",
                "层",
                minimum=1,
                maximum=200,
                aliases=("ZCS", "总层数", "楼层数", "房屋层数", "building:levels", "levels"),
            ),
            _FLOOR_AREA,
            Column(
                "floor_area_source", "code", "建筑面积来源", codes=SOURCE, aliases=("面积来源",)
            ),
            Column(
                "structure",
                "code",
                "结构",
                codes=STRUCTURE,
                aliases=("FWJG", "房屋结构", "结构类型", "建筑结构"),
            ),
            Column(
                "use",
                "code",
                "用途",
                codes=USE,
                aliases=("GHYT", "规划用途", "房屋用途", "使用性质", "使用功能"),
            ),
            Column("title", "code", "产权情况", codes=TITLE, aliases=("产权状况", "权属状况")),
            Column("tenure", "code", "所有制", codes=TENURE, aliases=("所有权性质", "权属性质")),
            Column("owner", "text", "权利人", aliases=("业主", "户主", "产权人", "QLRMC")),
            _TENANTS,
        ),
    ),
    Noun(
        "parcels",
        "宗地",
        "parcel_id",
        ("Polygon", "MultiPolygon"),
        (
            Column(
                "parcel_id",
                "text",
                "宗地编号",
                required=True,
                aliases=("宗地代码", "宗地号", "ZDDM", "ZDH", "SG_CODE"),
            ),
            Column("land_use", "text", "土地用途", aliases=("地类", "TDYT", "用地性质")),
            Column("area_m2", "float", "宗地面积", "m²", aliases=("ZDMJ", "用地面积"), minimum=0),
            Column("owner", "text", "土地权利人", aliases=("权利人", "土地使用权人", "业主")),
        ),
    ),
    Noun(
        "rivers",
        "河道",
        "river",
        ("LineString", "MultiLineString"),
        (
            Column(
                "river",
                "text",
                "河道",
                required=True,
                aliases=("河流", "河道名称", "河流名称", "河名", "name", "名称"),
            ),
            Column("start_m", "chainage", "起点桩号", "m", aliases=("起始桩号",)),
            Column("chainage_sign", "int", "桩号方向", minimum=-1, maximum=1),
            Column("equations", "text", "断链", aliases=("断链表",)),
        ),
    ),
    Noun(
        "red_line",
        "红线",
        None,
        ("Polygon", "MultiPolygon"),
        (
            Column("river", "text", "河道", required=True, aliases=_RIVER.aliases),
            Column("kind", "code", "线型", codes=KIND, aliases=("红线类型",)),
            Column(
                "source", "code", "来源", codes={"widths": ("由宽度生成",), "drawing": ("图纸",)}
            ),
            Column("works_m2", "float", "工程用地面积", "m²", minimum=0),
        ),
    ),
    Noun(
        "zones",
        "更新整备片区",
        "zone_id",
        ("Polygon", "MultiPolygon"),
        (
            Column("zone_id", "text", "片区编号", required=True, aliases=("项目编号",)),
            Column("kind", "code", "项目类型", codes=ZONE, aliases=("片区类型",)),
            Column("name", "text", "项目名称", aliases=("片区名称",)),
            Column("payer", "text", "实施主体", aliases=("开发商", "责任主体")),
        ),
    ),
    Noun(
        "widths",
        "红线宽度表",
        None,
        (),
        (
            _RIVER,
            Column(
                "chainage_m", "chainage", "桩号", "m", required=True, aliases=("里程", "里程桩号")
            ),
            Column(
                "left_m",
                "float",
                "左宽",
                "m",
                required=True,
                minimum=0,
                aliases=("左岸宽度", "左侧宽度", "左岸"),
            ),
            Column(
                "right_m",
                "float",
                "右宽",
                "m",
                required=True,
                minimum=0,
                aliases=("右岸宽度", "右侧宽度", "右岸"),
            ),
            Column("piece", "text", "分段"),
        ),
    ),
    Noun(
        "rates",
        "补偿标准",
        None,
        (),
        (
            Column("use", "code", "用途", codes=USE, aliases=("房屋用途",)),
            Column("structure", "code", "结构", codes=STRUCTURE, aliases=("房屋结构",)),
            Column("title", "code", "产权情况", codes=TITLE, aliases=("产权状况",)),
            Column("building_yuan_m2", "float", "房屋补偿单价", "元/m²", required=True, minimum=0),
            Column("relocation_yuan_m2", "float", "搬迁费单价", "元/m²", minimum=0),
            Column("interruption_yuan_m2", "float", "停产停业单价", "元/m²", minimum=0),
        ),
    ),
    Noun(
        "segments",
        "责任段",
        None,
        (),
        (
            _RIVER,
            Column("from_m", "chainage", "起点桩号", "m", required=True, aliases=_FROM.aliases),
            Column("to_m", "chainage", "终点桩号", "m", required=True, aliases=_TO.aliases),
            Column("bank", "code", "岸别", codes=BANK, aliases=("岸",)),
            Column("group", "text", "责任组", required=True, aliases=_GROUP.aliases),
            _LEADER,
            _START,
            _DUE,
        ),
    ),
    Noun(
        "affected",
        "受影响房屋",
        "building_id",
        ("Polygon", "MultiPolygon"),
        (
            Column("river", "text", "河道"),
            _BANK,
            Column("chainage_m", "chainage", "桩号", "m"),
            _FROM,
            _TO,
            Column("offset_min_m", "float", "最小偏距", "m"),
            Column("offset_max_m", "float", "最大偏距", "m"),
            Column("ambiguous", "bool", "定位存疑"),
            Column("footprint_m2", "float", "基底面积", "m²"),
            Column("inside_m2", "float", "红线内面积", "m²", minimum=0),
            Column("inside_ratio", "float", "压占比例", minimum=0, maximum=1),
            Column("cut_depth_m", "float", "压占深度", "m", minimum=0),
            Column("extent", "code", "压占程度", codes=EXTENT),
            Column("demolish_floor_area_m2", "float", "拆除建筑面积", "m²", minimum=0),
            Column("floor_area_source", "code", "建筑面积来源", codes=SOURCE),
            Column("needs_survey", "bool", "需现场勘查"),
            Column("parcel_id", "text", "宗地编号"),
            Column("cleared_by", "text", "清拆主体"),
            Column("zone_id", "text", "片区编号"),
            Column("node_id", "text", "征拆节点"),
            Column("rate", "text", "适用标准"),
            Column("building_yuan", "float", "房屋补偿", "元", minimum=0),
            Column("relocation_yuan", "float", "搬迁补偿", "元", minimum=0),
            Column("interruption_yuan", "float", "停产停业补偿", "元", minimum=0),
            _COST,
        ),
    ),
    Noun(
        "nodes",
        "征拆节点",
        "node_id",
        ("MultiPolygon",),
        (
            Column("river", "text", "河道"),
            _BANK,
            _FROM,
            _TO,
            Column("n_buildings", "int", "房屋栋数", "栋"),
            Column("n_full", "int", "全部压占", "栋"),
            Column("n_partial", "int", "部分压占", "栋"),
            Column("n_tenants", "int", "租户数", "户"),
            Column("demolish_floor_area_m2", "float", "拆除建筑面积", "m²"),
            _COST,
            _GROUP,
            _LEADER,
            _START,
            _DUE,
            Column("status", "code", "状态", codes=STATUS),
        ),
    ),
    Noun(
        "totals",
        "汇总",
        None,
        (),
        (
            Column("scheme", "text", "方案"),
            Column("n_buildings", "int", "房屋栋数", "栋"),
            Column("n_full", "int", "全部压占", "栋"),
            Column("n_partial", "int", "部分压占", "栋"),
            Column("inside_m2", "float", "红线内基底面积", "m²"),
            Column("demolish_floor_area_m2", "float", "拆除建筑面积", "m²"),
            Column("estimated_m2", "float", "其中估算面积", "m²"),
            Column("n_unknown", "int", "建筑面积不详", "栋"),
            Column("n_tenants", "int", "租户数", "户"),
            Column("n_survey", "int", "需现场勘查", "栋"),
            _COST,
            Column("works_m2", "float", "工程用地面积", "m²"),
            Column("n_nodes", "int", "征拆节点", "个"),
        ),
    ),
    Noun(
        "changes",
        "方案差异",
        None,
        ("Polygon", "MultiPolygon"),
        (
            Column("scheme", "text", "方案"),
            Column("building_id", "text", "房屋编号"),
            Column("change", "code", "变化", codes=CHANGE),
            Column("river", "text", "河道"),
            _BANK,
            Column("chainage_m", "chainage", "桩号", "m"),
            Column("node_id", "text", "征拆节点"),
            Column("extent_before", "code", "原压占程度", codes=EXTENT),
            Column("extent_after", "code", "现压占程度", codes=EXTENT),
            Column("inside_before_m2", "float", "原红线内面积", "m²"),
            Column("inside_after_m2", "float", "现红线内面积", "m²"),
            Column("avoided_floor_area_m2", "float", "避免拆除建筑面积", "m²"),
            Column("avoided_tenants", "int", "避免清退租户", "户"),
            Column("avoided_yuan", "float", "节省补偿", "元"),
            Column("n_saved", "int", "避免拆除栋数", "栋"),
            Column("n_added", "int", "新增拆除栋数", "栋"),
        ),
    ),
    Noun(
        "stations",
        "桩号点",
        None,
        ("Point",),
        (
            Column("river", "text", "河道"),
            Column("chainage_m", "chainage", "桩号", "m"),
            Column("label", "text", "桩号标注"),
            Column("bearing_deg", "float", "流向方位角", "°"),
        ),
    ),
    Noun(
        "faults",
        "问题清单",
        None,
        (),
        (
            Column("layer", "text", "图层"),
            Column(
                "severity",
                "code",
                "级别",
                codes={"error": ("错误",), "warning": ("警告",), "note": ("提示",)},
            ),
            Column("fault", "text", "代码"),
            Column("id", "text", "编号"),
            Column("field", "text", "字段"),
            Column("problem", "text", "问题"),
            Column("advice", "text", "建议"),
        ),
    ),
)
NOUNS: Mapping[str, Noun] = {n.name: n for n in _NOUNS}


def noun(name: str) -> Noun:
    """Look a noun up by its name; an unknown one gets the nearest."""
    if name not in NOUNS:
        raise LayerError(f"{name!r} is no kind of table", hint=nearest(name, NOUNS))
    return NOUNS[name]


def nearest(word: object, words: Iterable[str]) -> str:
    """Say which of the words was probably meant, or list them."""
    known = list(words)
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(known)}"


def label(column: str, *, lang: Lang = "zh", unit: bool = True) -> str:
    """Heading of a column for people 字段标签.

    Parameters
    ----------
    column
        Canonical name; an unknown one is returned as it is.
    lang
        ``"zh"`` or ``"en"``.
    unit
        Whether the unit follows in brackets.

    Returns
    -------
    str
        The heading.

    Examples
    --------
    >>> label("floor_area_m2"), label("floor_area_m2", lang="en")
    ('建筑面积 (m²)', 'floor area (m²)')
    """
    found = next((c for n in _NOUNS for c in n.columns if c.name == column), None)
    if found is None:
        return column
    # a chainage is shown as K1+234, which says its unit itself
    tail = f" ({found.unit})" if unit and found.unit and found.dtype != "chainage" else ""
    if lang == "en":
        return re.sub(r"_(m2|m|yuan|m3s)$", "", column).replace("_", " ") + tail
    return found.zh + tail


def code_label(column: str, code: object, *, lang: Lang = "zh") -> str:
    """Word for a code of a column, such as ``左岸`` for ``left``; NA is an empty text."""
    if code is None or code is pd.NA or (isinstance(code, float) and np.isnan(code)):
        return ""
    if lang == "zh":
        for one in _NOUNS:
            for c in one.columns:
                if c.name == column and code in c.codes:
                    return c.codes[str(code)][0]
    return str(code)


def _plain(name: object) -> str:
    """Fold a column name for comparison: width, case, blanks, units in brackets."""
    text = unicodedata.normalize("NFKC", str(name)).strip().lower()
    text = re.sub(r"[(\[【].*?[)\]】]", "", text)
    return re.sub(r"[\s_\-]+", "", text)


def _cut_names(name: str) -> set[str]:
    """What a .dbf makes of a name: cut at 10 bytes in GBK or UTF-8, maybe in mid-character."""
    cuts = set()
    for encoding in ("gbk", "utf-8"):
        raw = name.encode(encoding, "ignore")
        if len(raw) > DBF_NAME_BYTES:
            cuts.add(_plain(raw[:DBF_NAME_BYTES].decode(encoding, "ignore")))
    return cuts


def match_columns(names: Iterable[object], what: Noun) -> dict[str, str]:
    """Map the column names of a delivery to the canonical ones.

    Parameters
    ----------
    names
        Column names as they came.
    what
        The noun the table is meant to be.

    Returns
    -------
    dict
        From the delivered to the canonical name, for the columns that were recognised. The
        canonical name wins over its label, the label over aliases in their order, and whole
        names over cut ones; a canonical name is given once.
    """
    given = [str(n) for n in names]
    folded = {g: _plain(g) for g in given}
    found: dict[str, str] = {}
    for exact in (True, False):
        for column in what.columns:
            if column.name in found.values():
                continue
            for alias in (column.name, column.zh, *column.aliases):
                wanted = {_plain(alias)} if exact else _cut_names(alias)
                hit = next((g for g in given if folded[g] in wanted and g not in found), None)
                if hit is not None:
                    found[hit] = column.name
                    break
    return found


def canonical_codes(values: pd.Series, column: Column) -> pd.Series:
    """Turn the words of a code column into codes; unknown words stay, for `check` to name."""
    words = {_plain(w): code for code, all_words in column.codes.items() for w in all_words}
    words |= {_plain(code): code for code in column.codes}
    known = {v: words.get(_plain(v), v) for v in values.dropna().unique()}
    return values.map(known).astype("str").where(values.notna())


def require_columns(frame: pd.DataFrame, columns: Iterable[str], layer: str) -> None:
    """Refuse a table that lacks a column; name the nearest one it has."""
    missing = [c for c in columns if c not in frame.columns]
    if missing:
        have = ", ".join(map(str, frame.columns))
        raise LayerError(
            f"lacks the column {missing[0]!r} ({label(missing[0])})",
            layer=layer,
            hint=f"{layer} = {layer}.rename(columns={{...: {missing[0]!r}}}); it has {have}",
        )


def require_layer(frame: Any, layer: str, *, crs: Any = None) -> None:
    """Refuse a layer that can't be computed with: CRS, duplicate ids, bad geometry.

    Parameters
    ----------
    frame
        GeoDataFrame.
    layer
        Its name in messages.
    crs
        The CRS it has to be in: another layer's.
    """
    if getattr(frame, "crs", None) is None:
        raise CRSError(
            "has no coordinate reference system",
            layer=layer,
            hint=f"{layer} = {layer}.set_crs(4547), with the code of the survey",
        )
    if not frame.crs.is_projected or frame.crs.axis_info[0].unit_name not in ("metre", "meter"):
        raise CRSError(
            f"is in {frame.crs.name}, whose unit is {frame.crs.axis_info[0].unit_name}; "
            "areas and widths need projected metres",
            layer=layer,
            hint=f"{layer} = {layer}.to_crs(4547), with the code of the survey",
        )
    if frame.crs.to_epsg() == 3857:
        raise CRSError(
            "is in EPSG:3857, whose metres are not metres on the ground (areas 18 % too large "
            "at 22.7 N)",
            layer=layer,
            hint=f"{layer} = {layer}.to_crs(4547), with the code of the survey",
        )
    if crs is not None and not same_crs(frame.crs, crs):
        raise CRSError(
            f"is in {frame.crs.name} but the other layer is in {crs.name}",
            layer=layer,
            hint=f"{layer} = {layer}.to_crs({crs.to_epsg() or 'other.crs'})",
        )
    if not frame.index.is_unique:
        raise LayerError(
            "has duplicate ids",
            layer=layer,
            ids=frame.index[frame.index.duplicated()].unique(),
            hint=f"{layer} = {layer}[~{layer}.index.duplicated()], when you know which is right",
        )
    geometry = frame.geometry
    empty = geometry.isna().to_numpy() | geometry.is_empty.to_numpy()
    if empty.any():
        raise LayerError(
            "has rows without geometry",
            layer=layer,
            ids=frame.index[empty],
            hint=f"pg.check({layer}) lists them; {layer} = {layer}[~{layer}.is_empty]",
        )
    invalid = ~geometry.is_valid.to_numpy()
    if invalid.any():
        raise LayerError(
            "has invalid geometry",
            layer=layer,
            ids=frame.index[invalid],
            hint=f"{layer} = pg.repair({layer}, {layer!r})",
        )


def flat_shapes(frame: Any) -> Any:
    """Geometries of a layer as an array, without Z; copied only where there is any."""
    shapes = frame.geometry.to_numpy()
    return shapely.force_2d(shapes) if shapely.has_z(shapes).any() else shapes


def same_crs(one: Any, other: Any) -> bool:
    """Whether two CRS are the same; ESRI's and EPSG's texts of one CRS differ, so codes decide."""
    if one == other:
        return True
    code = one.to_epsg()
    return code is not None and code == other.to_epsg()


def numbers(frame: pd.DataFrame, column: str, layer: str) -> pd.Series:
    """Column as floats, NA throughout where it is missing; refused where texts stand in it."""
    if column not in frame.columns:
        return pd.Series(np.nan, index=frame.index)
    values = pd.to_numeric(frame[column], errors="coerce").astype(float)
    lost = values.isna() & frame[column].notna()
    if lost.any():
        word = frame.loc[lost, column].iloc[0]
        raise LayerError(
            f"has texts such as {word!r} in {column} ({label(column)})",
            layer=layer,
            ids=frame.index[lost],
            hint=f"correct them, or count them as unknown: {layer}[{column!r}] = "
            f'pd.to_numeric({layer}[{column!r}], errors="coerce")',
        )
    return values


def require_polygons(frame: Any, layer: str) -> None:
    """Refuse a layer that holds anything but polygons."""
    bad = ~frame.geometry.geom_type.isin(["Polygon", "MultiPolygon"]).to_numpy()
    if bad.any():
        raise LayerError(
            f"has {frame.geometry.geom_type[bad].iloc[0]} where polygons are needed",
            layer=layer,
            ids=frame.index[bad],
            hint="read the layer of footprints; pg.repair mends collections",
        )


def one_of(value: str, words: Iterable[str], name: str) -> None:
    """Refuse an option that is none of the words."""
    if value not in (known := list(words)):
        raise LayerError(f"{name}={value!r} is not known", hint=nearest(value, known))
