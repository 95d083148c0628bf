"""What is a column, what a noun? And the columns that several nouns share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pinghu_geo.nouns import codes

Dtype = Literal["text", "float", "int", "bool", "code", "date", "chainage"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    ``codes`` maps each code to the words that deliveries use for it; the first is its label.
    ``fallbacks`` are names such as OBJECTID, which are taken where nothing better is there. What
    ``stands_in`` for something else is wanted only where that isn't known: blanks are no fault.
    ``en`` is the English heading, where the name doesn't say it; it is read back, too.
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
    fallbacks: tuple[str, ...] = ()
    stands_in: bool = False
    en: str = ""


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


RIVER = Column(
    "river",
    "text",
    "河道",
    required=True,
    aliases=("河流", "河道名称", "河流名称", "河名", "RIVER"),
)
REPEATED = Column("repeated", "code", "长链重复桩号", codes=codes.REPEATED)
STATION = Column(
    "chainage_m",
    "chainage",
    "桩号",
    "m",
    required=True,
    aliases=("里程", "里程桩号", "断面桩号"),
)
SCHEME = Column("scheme", "text", "方案")
LINE = Column("line", "text", "桩号冠号")
DATUM = Column(
    "datum",
    "code",
    "高程基准",
    codes=codes.DATUM,
    aliases=("高程系统", "高程系", "高程基准面", "基面"),
)
PROFILE = Column("profile", "text", "工况", aliases=("频率", "重现期", "设计频率"))
FLOOR_AREA = Column(
    "floor_area_m2",
    "float",
    "建筑面积",
    "m²",
    aliases=("SCJZMJ", "实测建筑面积", "总建筑面积", "JZMJ", "建筑面积㎡", "totArea", "tot_area"),
    minimum=0,
)
FROM = Column("from_m", "chainage", "起点桩号", "m", aliases=("起始桩号", "起点", "FROM"))
TO = Column("to_m", "chainage", "终点桩号", "m", aliases=("终止桩号", "终点", "TO"))
GROUP = Column("group", "text", "责任组", aliases=("责任小组", "包干组", "工作组"))
LEADER = Column("leader", "text", "责任人", aliases=("组长", "负责人"))
BANK = Column("bank", "code", "岸别", aliases=("岸",), codes=codes.BANK)
COST = Column("cost_yuan", "float", "补偿金额", "元", minimum=0)
TENANTS = Column(
    "tenants", "int", "租户数", "户", aliases=("租户", "承租户数", "承租户"), minimum=0
)
BUILDING_IDS = (
    "房屋编码", "幢编号", "自然幢号", "ZRZH", "BDCDYH", "不动产单元号", "osm_id",
    "full_id", "bldg_id", "gml_id", "FWBH", "建筑编号", "建筑物编号", "楼栋编号", "建筑ID",
    "房屋ID", "osm_way_id", "osmid", "building_identifier", "buildingID", "JZWBH", "localId",
    "full_plus_code", "DOITT_ID", "EGID", "BD_MGT_SN", "mgm_bldrgst_pk", "mgmBldrgstPk", "mgm_pk",
    "BuildingCSUID", "CONCODIGO", "bygningsnr", "bygningsnummer",
)  # fmt: skip
# what a program numbers rows with, whatever they are
ROW_NUMBERS = (
    "编号", "id", "identifier", "uuid", "guid", "Kod", "gid", "OBJECTID", "fid", "FID_1",
    "ogc_fid", "identificatie", "oid", "TOID", "osid", "cleabs", "LOKALNYID", "lokalnyId",
)  # fmt: skip
FLOORS = Column(
    "floors",
    "int",
    "层数",
    "层",
    minimum=1,
    maximum=200,
    aliases=("ZCS", "总层数", "楼层数", "房屋层数", "building:levels", "building_levels", "levels",
             "storeysAboveGround", "楼层", "地上层数", "地上总层数", "DSCS", "num_floors", "Floor",
             "no_floors", "n_floors", "floor_count", "numberOfFloors", "storeys", "stories", "层",
             "numberOfFloorsAboveGround", "NB_ETAGES", "PocetPodlazi", "GRND_FLR", "anzahlgs",
             "FWCS", "CONNPISOS", "GASTW"),
)  # fmt: skip
HEIGHT = Column(
    "height_m",
    "float",
    "建筑高度",
    "m",
    minimum=0,
    aliases=(
        "房屋高度",
        "楼高",
        "building_height",
        "measuredHeight",
        "building:height",
        "JZWGD",
        "HAUTEUR",
        "RelHMax",
        "CONALTURA",
        "UN_VOL_AV",
    ),
    fallbacks=("height", "高度"),
    stands_in=True,
)
STRUCTURE = Column(
    "structure",
    "code",
    "结构",
    codes=codes.STRUCTURE,
    aliases=("FWJG", "房屋结构", "结构类型", "建筑结构"),
)
USE = Column(
    "use",
    "code",
    "用途",
    codes=codes.USE,
    aliases=("GHYT", "规划用途", "房屋用途", "使用性质", "使用功能"),
)
TITLE = Column("title", "code", "产权情况", codes=codes.TITLE, aliases=("产权状况", "权属状况"))
TENURE = Column("tenure", "code", "所有制", codes=codes.TENURE, aliases=("所有权性质", "权属性质"))
OWNER = Column(
    "owner", "text", "权利人", aliases=("业主", "户主", "产权人", "QLRMC", "QLR", "权利人名称")
)
UNIT_NUMBER = Column(
    "unit_number", "text", "不动产单元号", required=True, aliases=("BDCDYH", "HBSM", "户编号")
)
START = Column("start", "date", "开始日期", aliases=("计划开始", "开始时间"))
DUE = Column("due", "date", "完成期限", aliases=("完成时限", "计划完成", "截止日期"))

STAGE = Column(
    "stage", "code", "阶段", required=True, codes=codes.STAGE, aliases=("本次阶段", "进度阶段")
)
BLOCKER = Column("blocker", "text", "卡点", aliases=("存在问题", "卡点问题"))
RISE_BAND = (
    Column("rise_alone_low_mm", "float", "单独保留壅高下限", "mm"),
    Column("rise_alone_high_mm", "float", "单独保留壅高上限", "mm"),
    Column("rise_joint_low_mm", "float", "共同保留壅高下限", "mm"),
    Column("rise_joint_high_mm", "float", "共同保留壅高上限", "mm"),
    Column("rise_rough_low_mm", "float", "糙率减小壅高", "mm"),
    Column("rise_rough_high_mm", "float", "糙率增大壅高", "mm"),
    Column("rise_band", "text", "各损失系数壅高"),
    Column("rise_decided_by", "text", "超限起始系数"),
    Column("rise_grows_at", "text", "壅高突增处"),
    Column("rise_river", "text", "壅高所在河道"),
    Column("rise_2d_mm", "float", "二维复核壅高", "mm"),
    Column("rise_2d_doubt_mm", "float", "二维复核网格误差", "mm", minimum=0),
    Column("losses_2d", "text", "二维相当系数"),
)
OPENING = (
    Column("shape", "code", "洞形", codes=codes.SHAPE, aliases=("断面形状", "涵洞形状")),
    Column("span_m", "float", "净宽", "m", minimum=0, aliases=("孔宽", "跨径")),
    Column("rise_m", "float", "净高", "m", minimum=0, aliases=("孔高", "管径")),
    Column("barrels", "int", "孔数", minimum=1),
    Column("length_m", "float", "长度", "m", minimum=0, aliases=("洞长", "涵长")),
    Column("invert_up_m", "float", "进口底高程", "m"),
    Column("invert_down_m", "float", "出口底高程", "m"),
    Column("n", "float", "糙率", minimum=0),
    Column("n_bottom", "float", "底板糙率", minimum=0),
    Column("n_bottom_to_m", "float", "底板糙率高度", "m", minimum=0),
    Column("blocked_m", "float", "淤积深度", "m", minimum=0, aliases=("淤积",)),
    Column("entrance_loss", "float", "进口损失系数", minimum=0),
    Column("exit_loss", "float", "出口损失系数", minimum=0),
    Column("chart", "int", "HDS-5图号", minimum=1),
    Column("scale", "int", "HDS-5线号", minimum=1, aliases=("HDS-5比尺",)),
    Column("n_gates", "int", "闸孔数", minimum=0),
    Column("n_open", "float", "开启孔数", minimum=0),
    Column("gate_width_m", "float", "闸孔净宽", "m", minimum=0),
    Column("gate_height_m", "float", "闸门高", "m", minimum=0),
    Column("sill_m", "float", "闸底高程", "m", aliases=("闸底板高程",)),
    Column("opening_m", "float", "闸门开度", "m", minimum=0, aliases=("开度",)),
    Column("gate_kind", "code", "闸门型式", codes=codes.GATE_KIND),
    Column("gate_coefficient", "float", "闸孔流量系数", minimum=0),
    Column("orifice", "float", "孔口流量系数", minimum=0),
    Column("trunnion_m", "float", "铰心高", "m", minimum=0),
    Column("exponent_trunnion", "float", "铰高指数"),
    Column("exponent_opening", "float", "开度指数"),
    Column("exponent_head", "float", "水头指数"),
    Column("sill_crest", "code", "闸底堰型", codes=codes.CREST),
    Column("sill_coefficient", "float", "闸底堰流系数", minimum=0),
    Column("sill_design_head_m", "float", "闸底堰设计水头", "m", minimum=0),
)
