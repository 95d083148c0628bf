"""Which columns has each table? All nouns as data: type, unit, 中文, aliases, codes and range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Dtype = Literal["text", "float", "int", "bool", "code", "date", "chainage"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    ``codes`` maps each code to the words that deliveries use for it; the first is its label.
    ``fallbacks`` are names such as OBJECTID, which are taken where nothing better is there. What
    ``stands_in`` for something else is wanted only where that isn't known: blanks are no fault.
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


# who clears what nobody else clears
OWN = "本项目"
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
# the single letters are those of houses on plans of 1:500 (GB/T 20257.1); 砖 alone may be either
STRUCTURE = {
    "concrete": ("钢筋混凝土", "砼", "钢混", "框架", "钢筋混凝土结构", "框架结构", "钢混结构"),
    "brick_concrete": ("砖混", "混", "混合", "混合结构", "砖混结构"),
    "brick_wood": ("砖木", "砖木结构"),
    "steel": ("钢", "钢结构"),
    "light": ("简易", "简", "棚", "铁皮", "铁皮房", "简易结构", "棚房"),
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
REPEATED = {"above": ("长链之前(上游)",), "below": ("长链之后(下游)",)}
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
STAGE = {
    "todo": ("未启动",),
    "survey": ("摸底", "摸底调查", "入户摸底"),
    "valuation": ("测绘评估", "测量评估", "评估", "测绘"),
    "negotiation": ("谈判", "协商", "协商谈判"),
    "signed": ("签约", "已签约", "签订协议"),
    "vacated": ("清租腾空", "已腾空", "腾空", "清租", "清退"),
    "demolished": ("拆除", "已拆除"),
    "removed": ("清运", "已清运"),
    "handed_over": ("移交", "已移交", "移交作业面"),
}
TASK_CLASS = {
    "others": ("他方清拆",),
    "retain": ("保留",),
    "review": ("待核",),
    "survey": ("待勘",),
    "task": ("任务",),
}
TENANT = {
    "dwelling": ("住户", "居住", "住家"),
    "shop": ("商户", "商铺", "店铺"),
    "factory": ("工厂", "厂房", "企业"),
}
SIGNAL = {"red": ("红",), "amber": ("黄",), "green": ("绿",)}
ACTIVITY = {"done": ("已完成",), "running": ("进行中",), "planned": ("计划",)}
SHORT_PROOF = {"optimal": ("已证最优",), "feasible": ("可行",)}
CHANGE = {
    "saved": ("避免拆除",),
    "added": ("新增拆除",),
    "less": ("压占减少",),
    "more": ("压占增加",),
}

OBSTACLE = {
    "blocked": ("阻水", "房屋阻水"),
    "ineffective": ("静水区", "无效过流区"),
    "permanent": ("永久静水区",),
}
BOUNDARY = {
    "level": ("已知水位",),
    "normal": ("均匀流", "正常水深"),
    "critical": ("临界水深",),
    "rating": ("水位流量关系",),
    "river": ("汇入干流",),
}
REGIME = {"subcritical": ("缓流",), "critical": ("临界流",), "supercritical": ("急流",)}
STRUCTURE_KIND = {
    "bridge": ("桥", "桥梁", "跨河桥"),
    "culvert": ("涵洞", "箱涵", "管涵", "暗涵"),
    "weir": ("堰", "溢流堰", "拦河堰", "滚水坝"),
    "gate": ("闸", "水闸", "节制闸"),
    "drop": ("跌水", "陡坎"),
}
SHAPE = {
    "box": ("箱形", "矩形", "箱涵"),
    "circle": ("圆形", "圆管"),
    "arch": ("拱形",),
    "pipe_arch": ("管拱",),
    "ellipse": ("椭圆",),
    "semicircle": ("半圆",),
    "low_arch": ("坦拱",),
    "high_arch": ("高拱",),
    "conspan": ("预制拱",),
}
CREST = {"broad": ("宽顶堰",), "ogee": ("实用堰", "曲线型实用堰"), "sharp": ("薄壁堰",)}
GATE_KIND = {
    "vertical": ("平板闸门", "直升闸门"),
    "radial": ("弧形闸门",),
    "overflow": ("敞泄", "无门"),
}
ROLE = {"in": ("汇入", "来水"), "out": ("流出", "出水")}
JUNCTION_METHOD = {"energy": ("能量法",), "momentum": ("动量法",)}
PART = {
    "deck": ("桥面", "梁底与桥面"),
    "pier": ("桥墩",),
    "ground": ("地面", "桥下地面"),
    "abutment": ("桥台",),
    "culvert": ("涵管",),
    "gate": ("闸孔",),
    "crest": ("堰顶",),
    "setting": ("闸门开度",),
}
# Height systems differ by decimetres; each survey states its own.
DATUM = {
    "cnhd_1985": ("1985国家高程基准", "1985", "85高程", "国家85"),
    "yellow_sea_1956": ("1956年黄海高程系", "1956", "黄海高程", "56黄海"),
    "pearl_river": ("珠江基面", "珠江高程", "珠基"),
    "wusong": ("吴淞高程",),
    "dagu": ("大沽高程",),
    "local": ("假定高程", "相对高程", "独立高程"),
}
VERDICT = {"demolish": ("拆除",), "retain": ("保留",), "review": ("待核",)}

_RIVER = Column(
    "river",
    "text",
    "河道",
    required=True,
    aliases=("河流", "河道名称", "河流名称", "河名", "RIVER"),
)
_REPEATED = Column("repeated", "code", "长链重复桩号", codes=REPEATED)
_STATION = Column(
    "chainage_m",
    "chainage",
    "桩号",
    "m",
    required=True,
    aliases=("里程", "里程桩号", "断面桩号"),
)
_SCHEME = Column("scheme", "text", "方案")
_LINE = Column("line", "text", "桩号冠号")
_DATUM = Column(
    "datum", "code", "高程基准", codes=DATUM, aliases=("高程系统", "高程系", "高程基准面", "基面")
)
_PROFILE = Column("profile", "text", "工况", aliases=("频率", "重现期", "设计频率"))
_FLOOR_AREA = Column(
    "floor_area_m2",
    "float",
    "建筑面积",
    "m²",
    aliases=("SCJZMJ", "实测建筑面积", "总建筑面积", "JZMJ", "建筑面积㎡", "totArea", "tot_area"),
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
_BUILDING_IDS = (
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
_FLOORS = Column(
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
_HEIGHT = Column(
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
_STRUCTURE = Column(
    "structure",
    "code",
    "结构",
    codes=STRUCTURE,
    aliases=("FWJG", "房屋结构", "结构类型", "建筑结构"),
)
_USE = Column(
    "use",
    "code",
    "用途",
    codes=USE,
    aliases=("GHYT", "规划用途", "房屋用途", "使用性质", "使用功能"),
)
_TITLE = Column("title", "code", "产权情况", codes=TITLE, aliases=("产权状况", "权属状况"))
_TENURE = Column("tenure", "code", "所有制", codes=TENURE, aliases=("所有权性质", "权属性质"))
_OWNER = Column(
    "owner", "text", "权利人", aliases=("业主", "户主", "产权人", "QLRMC", "QLR", "权利人名称")
)
_UNIT_NUMBER = Column(
    "unit_number", "text", "不动产单元号", required=True, aliases=("BDCDYH", "HBSM", "户编号")
)
_START = Column("start", "date", "开始日期", aliases=("计划开始", "开始时间"))
_DUE = Column("due", "date", "完成期限", aliases=("完成时限", "计划完成", "截止日期"))

_STAGE = Column(
    "stage", "code", "阶段", required=True, codes=STAGE, aliases=("本次阶段", "进度阶段")
)
_BLOCKER = Column("blocker", "text", "卡点", aliases=("存在问题", "卡点问题"))
_RISE_BAND = (
    Column("rise_alone_low_mm", "float", "单独保留壅高下限", "mm"),
    Column("rise_alone_high_mm", "float", "单独保留壅高上限", "mm"),
    Column("rise_joint_low_mm", "float", "共同保留壅高下限", "mm"),
    Column("rise_joint_high_mm", "float", "共同保留壅高上限", "mm"),
    Column("rise_rough_low_mm", "float", "糙率减小壅高", "mm"),
    Column("rise_rough_high_mm", "float", "糙率增大壅高", "mm"),
    Column("rise_band", "text", "各损失系数壅高"),
    Column("rise_decided_by", "text", "超限起始系数"),
    Column("rise_2d_mm", "float", "二维复核壅高", "mm"),
    Column("rise_2d_doubt_mm", "float", "二维复核网格误差", "mm", minimum=0),
    Column("losses_2d", "text", "二维相当系数"),
)
_OPENING = (
    Column("shape", "code", "洞形", codes=SHAPE, aliases=("断面形状", "涵洞形状")),
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
    Column("gate_kind", "code", "闸门型式", codes=GATE_KIND),
    Column("gate_coefficient", "float", "闸孔流量系数", minimum=0),
    Column("orifice", "float", "孔口流量系数", minimum=0),
    Column("trunnion_m", "float", "铰心高", "m", minimum=0),
    Column("exponent_trunnion", "float", "铰高指数"),
    Column("exponent_opening", "float", "开度指数"),
    Column("exponent_head", "float", "水头指数"),
    Column("sill_crest", "code", "闸底堰型", codes=CREST),
    Column("sill_coefficient", "float", "闸底堰流系数", minimum=0),
    Column("sill_design_head_m", "float", "闸底堰设计水头", "m", minimum=0),
)

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
                aliases=_BUILDING_IDS,
                fallbacks=ROW_NUMBERS,
            ),
            Column(
                "footprint_m2",
                "float",
                "基底面积",
                "m²",
                minimum=0,
                aliases=(
                    "ZZDMJ",
                    "archArea",
                    "CalculatedAreaValue",
                    "GAREA",
                    "幢占地面积",
                    "占地面积",
                    "建筑占地面积",
                    "基底面积㎡",
                    "footprint_area_m2",
                    "area_in_meters",
                ),
            ),
            _FLOORS,
            Column("floors_source", "code", "层数来源", codes=SOURCE),
            _HEIGHT,
            _FLOOR_AREA,
            Column(
                "floor_area_source", "code", "建筑面积来源", codes=SOURCE, aliases=("面积来源",)
            ),
            _STRUCTURE,
            _USE,
            _TITLE,
            _TENURE,
            _OWNER,
            _TENANTS,
            Column("rooms", "int", "间数", "间", aliases=("房间数", "房屋间数"), minimum=0),
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
                aliases=(
                    "宗地代码",
                    "宗地号",
                    "ZDDM",
                    "ZDH",
                    "SG_CODE",
                    "地块编号",
                    "FSKO",
                    "bbl",
                    "FLSTKENNZ",
                    "APN",
                    "AIN",
                    "PARCELNUMB",
                    "PARNO",
                    "FOLIO",
                    "EGRID",
                    "LOTPLAN",
                    "LOTIDSTRING",
                    "REFCAT",
                    "nationalCadastralReference",
                    "IDU",
                    "PIN",
                    "PID",
                ),
                fallbacks=ROW_NUMBERS,
            ),
            Column("land_use", "text", "土地用途", aliases=("地类", "TDYT", "用地性质")),
            Column("area_m2", "float", "宗地面积", "m²", aliases=("ZDMJ", "用地面积"), minimum=0),
            Column(
                "owner",
                "text",
                "土地权利人",
                aliases=("权利人", "土地使用权人", "业主", "ownername"),
            ),
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
                aliases=(
                    "河流",
                    "河道名称",
                    "河流名称",
                    "河名",
                    "name",
                    "名称",
                    "gnis_name",
                    "W05_004",
                    "TopoOH",
                ),
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
            Column("due", "date", "清拆期限", aliases=("完成期限", "承诺完成日期")),
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
                aliases=("左岸宽度", "左侧宽度", "左岸", "左侧", "左"),
            ),
            Column(
                "right_m",
                "float",
                "右宽",
                "m",
                required=True,
                minimum=0,
                aliases=("右岸宽度", "右侧宽度", "右岸", "右侧", "右"),
            ),
            Column("wall_left", "text", "左岸墙型", stands_in=True),  # blank: the wall there is
            Column("wall_right", "text", "右岸墙型", stands_in=True),
            _LINE,
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
            _LINE,
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
            _REPEATED,
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
            Column("zone_kind", "code", "项目类型", codes=ZONE),
            Column("zone_ratio", "float", "片区内比例", minimum=0, maximum=1),
            Column("in_project", "bool", "属更新整备范围"),
            Column("contested", "bool", "归属待定"),
            Column("node_id", "text", "征拆节点"),
            Column("verdict", "code", "结论", codes=VERDICT),
            Column("reason", "text", "理由"),
            Column("deciding", "text", "依据条文"),
            Column("rise_alone_mm", "float", "单独保留壅高", "mm"),
            Column("rise_joint_mm", "float", "共同保留壅高", "mm"),
            *_RISE_BAND,
            Column("flood_level_m", "float", "设计洪水位", "m"),
            Column("freeboard_m", "float", "超高", "m"),
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
            Column("n_tenants_unknown", "int", "租户数不详", "栋"),
            Column("demolish_floor_area_m2", "float", "拆除建筑面积", "m²"),
            Column("n_unknown", "int", "建筑面积不详", "栋"),
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
            Column("n_tenants_unknown", "int", "租户数不详", "栋"),
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
            Column("redesign_id", "text", "优化节点"),
            Column("moved_m", "float", "红线移动", "m"),
            Column("moved_left_m", "float", "左岸红线移动", "m"),
            Column("moved_right_m", "float", "右岸红线移动", "m"),
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
        "sections",
        "断面",
        None,
        (),
        (
            _RIVER,
            _STATION,
            Column(
                "offset_m", "float", "起点距", "m", required=True, aliases=("偏距", "距离", "间距")
            ),
            Column(
                "elevation_m", "float", "高程", "m", required=True, aliases=("河底高程", "地面高程")
            ),
            Column("n", "float", "糙率", aliases=("曼宁糙率", "粗糙系数")),
            Column("lid_m", "float", "盖板底高程", "m", aliases=("顶板底高程", "涵顶高程")),
            Column("n_lid", "float", "盖板糙率", minimum=0),
            _DATUM,
            _LINE,
            _SCHEME,
        ),
    ),
    Noun(
        "design",
        "设计断面表",
        None,
        (),
        (
            _RIVER,
            _STATION,
            Column(
                "bed_level_m",
                "float",
                "设计河底高程",
                "m",
                required=True,
                aliases=("河底高程", "设计渠底高程", "渠底高程"),
            ),
            Column("bank_level_m", "float", "岸顶高程", "m", aliases=("堤顶高程", "设计堤顶高程")),
            Column(
                "left_top_m",
                "float",
                "左岸顶高程",
                "m",
                aliases=("左堤顶高程", "设计左堤顶高程", "左堤高程", "设计左堤高程"),
            ),
            Column(
                "right_top_m",
                "float",
                "右岸顶高程",
                "m",
                aliases=("右堤顶高程", "设计右堤顶高程", "右堤高程", "设计右堤高程"),
            ),
            Column("left_m", "float", "左宽", "m", minimum=0),
            Column("right_m", "float", "右宽", "m", minimum=0),
            Column(
                "bed_width_m",
                "float",
                "河底宽",
                "m",
                minimum=0,
                aliases=("渠底宽", "渠底宽度", "设计渠底宽度", "设计河底宽度", "底宽"),
            ),
            Column("side_slope", "float", "边坡系数", minimum=0, aliases=("边坡",)),
            Column("n", "float", "糙率", required=True, aliases=("河床糙率",)),
            Column("n_wall", "float", "岸壁糙率", aliases=("护岸糙率",)),
            Column("berm_level_m", "float", "平台高程", "m"),
            Column("berm_m", "float", "平台宽", "m", minimum=0),
            _DATUM,
            _LINE,
            _SCHEME,
        ),
    ),
    Noun(
        "banks",
        "断面参数",
        None,
        (),
        (
            _RIVER,
            _STATION,
            Column("left_bank_m", "float", "左河口", "m", aliases=("左滩槽分界",)),
            Column("right_bank_m", "float", "右河口", "m", aliases=("右滩槽分界",)),
            Column("length_left_m", "float", "左滩间距", "m", minimum=0),
            Column("length_channel_m", "float", "主槽间距", "m", minimum=0),
            Column("length_right_m", "float", "右滩间距", "m", minimum=0),
            Column("contraction", "float", "收缩系数", minimum=0, maximum=1),
            Column("expansion", "float", "扩散系数", minimum=0, maximum=1),
            Column("left_levee_m", "float", "左堤位置", "m"),
            Column("left_levee_top_m", "float", "左堤顶高程", "m"),
            Column("right_levee_m", "float", "右堤位置", "m"),
            Column("right_levee_top_m", "float", "右堤顶高程", "m"),
            Column("left_wall_m", "float", "左侧束窄位置", "m"),
            Column("right_wall_m", "float", "右侧束窄位置", "m"),
            _REPEATED,
            _DATUM,
            _LINE,
            _SCHEME,
        ),
    ),
    Noun(
        "obstacles",
        "阻水物",
        None,
        (),
        (
            _RIVER,
            _STATION,
            Column("from_offset_m", "float", "起点偏距", "m", required=True),
            Column("to_offset_m", "float", "终点偏距", "m", required=True),
            Column("top_m", "float", "顶高程", "m"),
            Column("obstacle", "code", "阻水类型", codes=OBSTACLE),
            Column("building_id", "text", "房屋编号"),
            Column("moved_m", "float", "移至断面距离", "m"),
            _REPEATED,
            _DATUM,
            _LINE,
            _SCHEME,
        ),
    ),
    Noun(
        "flows",
        "设计流量",
        None,
        (),
        (
            _RIVER,
            Column("chainage_m", "chainage", "桩号", "m", aliases=("里程", "里程桩号")),
            Column(
                "discharge_m3s",
                "float",
                "流量",
                "m³/s",
                required=True,
                minimum=0,
                aliases=("设计流量", "洪峰流量", "Q", "Qp"),
            ),
            _LINE,
            _PROFILE,
        ),
    ),
    Noun(
        "boundaries",
        "边界条件",
        None,
        (),
        (
            Column("river", "text", "河道", aliases=_RIVER.aliases),
            _PROFILE,
            Column("boundary", "code", "边界类型", codes=BOUNDARY),
            Column("level_m", "float", "水位", "m", aliases=("控制水位",)),
            Column("slope", "float", "坡降", minimum=0, aliases=("比降",)),
            Column("discharge_m3s", "float", "流量", "m³/s", minimum=0),
            Column("joins", "text", "汇入河道"),
            Column("joins_at_m", "chainage", "汇入桩号", "m"),
            _DATUM,
        ),
    ),
    Noun(
        "profile",
        "水面线",
        None,
        (),
        (
            Column("scheme", "text", "方案"),
            Column("profile", "text", "工况"),
            Column("river", "text", "河道"),
            Column("chainage_m", "chainage", "桩号", "m"),
            Column("discharge_m3s", "float", "流量", "m³/s"),
            Column("level_m", "float", "水位", "m"),
            Column("energy_m", "float", "能量线高程", "m"),
            Column("critical_level_m", "float", "临界水位", "m"),
            Column("bed_m", "float", "河底高程", "m"),
            Column("depth_m", "float", "水深", "m"),
            Column("depth_max_m", "float", "最大水深", "m"),
            Column("flooded_m2", "float", "淹没面积", "m²"),
            Column("velocity_ms", "float", "流速", "m/s"),
            Column("froude", "float", "弗劳德数"),
            Column("area_m2", "float", "过水面积", "m²"),
            Column("wetted_perimeter_m", "float", "湿周", "m"),
            Column("top_width_m", "float", "水面宽", "m"),
            Column("conveyance_m3s", "float", "流量模数", "m³/s"),
            Column("alpha", "float", "动能修正系数"),
            Column("friction_slope", "float", "摩阻坡降"),
            Column("loss_m", "float", "至下一断面水头损失", "m"),
            Column("conveyance_left_m3s", "float", "左滩流量模数", "m³/s"),
            Column("conveyance_channel_m3s", "float", "主槽流量模数", "m³/s"),
            Column("conveyance_right_m3s", "float", "右滩流量模数", "m³/s"),
            Column("area_left_m2", "float", "左滩过水面积", "m²"),
            Column("area_channel_m2", "float", "主槽过水面积", "m²"),
            Column("area_right_m2", "float", "右滩过水面积", "m²"),
            Column("regime", "code", "流态", codes=REGIME),
            Column("doubts", "text", "提示"),
            Column("structure_id", "text", "建筑物编号"),
            Column("control", "text", "过流方式"),
            Column("over_m3s", "float", "漫溢流量", "m³/s"),
            _REPEATED,
        ),
    ),
    Noun(
        "rise",
        "壅水",
        None,
        (),
        (
            Column("level_before_m", "float", "原水位", "m"),
            Column("level_after_m", "float", "现水位", "m"),
            Column("rise_mm", "float", "水位壅高", "mm"),
            Column("energy_rise_mm", "float", "能量线壅高", "mm"),
            Column("rise_lossless_mm", "float", "水位壅高(不计局部损失)", "mm"),
            Column("energy_rise_lossless_mm", "float", "能量线壅高(不计局部损失)", "mm"),
            Column("froude_before", "float", "原弗劳德数"),
            Column("conveyance_ratio", "float", "过流能力比"),
            Column("left_top_m", "float", "左岸顶高程", "m"),
            Column("right_top_m", "float", "右岸顶高程", "m"),
            Column("freeboard_left_m", "float", "左岸超高", "m"),
            Column("freeboard_right_m", "float", "右岸超高", "m"),
            Column("freeboard_asked_m", "float", "要求超高", "m"),
            Column("freeboard_source", "text", "超高依据(由项目给定)"),
        ),
    ),
    Noun(
        "evidence",
        "留房依据",
        "building_id",
        (),
        (
            Column("building_id", "text", "房屋编号", required=True, aliases=("房屋编码",)),
            Column("rise_alone_mm", "float", "单独保留壅高", "mm"),
            Column("rise_joint_mm", "float", "共同保留壅高", "mm"),
            *_RISE_BAND,
            Column("joint", "bool", "计入共同保留"),
            Column("flood_level_m", "float", "设计洪水位", "m"),
            Column("flood_depth_m", "float", "房屋处水深", "m"),
            Column("freeboard_m", "float", "超高", "m"),
            Column("sewage_ok", "bool", "排污达标", aliases=("符合排污标准", "排污是否达标")),
            Column("optional", "bool", "可拆可不拆"),
            Column("structure_ok", "bool", "结构安全", aliases=("房屋安全", "安全鉴定合格")),
            Column("title_ok", "bool", "权属合法", aliases=("产权合法",)),
            Column("in_project", "bool", "属更新整备范围"),
            Column("verdict", "code", "结论", codes=VERDICT),
            Column("reason", "text", "理由"),
            Column("deciding", "text", "依据条文"),
        ),
    ),
    Noun(
        "locks",
        "红线约束表",
        None,
        (),
        (
            _RIVER,
            Column("from_m", "chainage", "起点桩号", "m", required=True),
            Column("to_m", "chainage", "终点桩号", "m", required=True),
            Column("bank", "code", "岸别", codes=BANK),
            _LINE,
            Column("least_m", "float", "最小宽度", "m", minimum=0),
            Column("most_m", "float", "最大宽度", "m", minimum=0),
        ),
    ),
    Noun(
        "walls",
        "护岸类型表",
        None,
        (),
        (
            Column("wall", "text", "墙型", required=True, aliases=("护岸类型", "护岸型式")),
            Column("side_slope", "float", "边坡系数", required=True, minimum=0, aliases=("边坡",)),
            Column("n_wall", "float", "岸壁糙率", required=True, minimum=0, aliases=("糙率",)),
            Column("wall_yuan_m", "float", "增加造价", "元/m", required=True, aliases=("单价",)),
            Column("strip_m", "float", "管理带宽", "m", minimum=0, aliases=("巡河路宽",)),
        ),
    ),
    Noun(
        "search",
        "寻优结果",
        None,
        (),
        (
            Column("n_stations", "int", "断面数"),
            Column("n_unsearched", "int", "未寻优处房屋", "栋"),
            Column("n_offsets", "int", "偏移档数"),
            Column("decided_between", "int", "断面间判定的房屋", "栋"),
            Column("close_bends", "int", "较密转折"),
            Column("close_bends_before", "int", "减少前的较密转折"),
            Column("before_yuan", "float", "原方案费用", "元"),
            Column("total_yuan", "float", "方案费用", "元"),
            Column("bound_yuan", "float", "下界", "元"),
            Column("gap_yuan", "float", "差距", "元"),
            Column("counted_yuan", "float", "按图计补偿", "元"),
            Column("drawn_bound_yuan", "float", "图上红线下界", "元"),
            Column("near_yuan", "float", "净距不足补偿", "元"),
            Column("bends_yuan", "float", "减少转折多花", "元"),
            Column("saved_yuan", "float", "所保价值", "元"),
            Column("before_floor_area_m2", "float", "原方案折合建筑面积", "m²"),
            Column("total_floor_area_m2", "float", "方案折合建筑面积", "m²"),
            Column("bound_floor_area_m2", "float", "下界折合建筑面积", "m²"),
            Column("drawn_bound_floor_area_m2", "float", "图上红线下界折合建筑面积", "m²"),
            Column("gap_floor_area_m2", "float", "差距折合建筑面积", "m²"),
            Column("counted_floor_area_m2", "float", "按图计建筑面积", "m²"),
            Column("near_floor_area_m2", "float", "净距不足建筑面积", "m²"),
            Column("bends_floor_area_m2", "float", "减少转折多花折合建筑面积", "m²"),
            Column("saved_floor_area_m2", "float", "所保建筑面积", "m²"),
            Column("cost_floor_area_m2", "float", "计入建筑面积", "m²"),
            Column("extra_floor_area_m2", "float", "增加折合建筑面积", "m²"),
            Column("works_floor_area_m2", "float", "工程折合建筑面积", "m²"),
            Column("demolition_floor_area_m2", "float", "拆迁建筑面积", "m²"),
            Column("floor_area_m2_per_cm", "float", "每厘米壅高可保面积", "m²/cm"),
            Column(
                "proof",
                "code",
                "证明",
                codes={
                    "optimal": ("已证最优",),
                    "optimal_at_sections": ("按断面判定已证最优",),
                    "optimal_before_bends": ("减少转折前已证最优",),
                    "part": ("已寻优部分最优", "已搜索部分最优"),
                    "river": ("属已证的全河最优",),
                    "feasible": ("可行,未证最优",),
                    "base": ("维持原方案,未证最优",),
                    "one_line": ("只有一种红线可选",),
                    "nothing_to_spare": ("原方案未占可保房屋",),
                },
            ),
            Column("moved_m", "float", "红线移动", "m"),
            Column("extra_yuan", "float", "增加费用", "元"),
            Column("largest_rise_mm", "float", "最大壅高", "mm"),
            Column("allowed_mm", "float", "允许壅高", "mm"),
            Column("works_yuan", "float", "工程费", "元"),
            Column("demolition_yuan", "float", "拆迁费", "元"),
            Column("yuan_per_cm", "float", "每厘米壅高价值", "元/cm"),
        ),
    ),
    Noun(
        "ledger",
        "登记台账",
        None,
        (),
        (
            Column("building_id", "text", "房屋编号", required=True, aliases=_BUILDING_IDS),
            Column("unit_number", "text", "不动产单元号", aliases=("BDCDYH", "单元号")),
            _FLOORS,
            _FLOOR_AREA,
            _STRUCTURE,
            _USE,
            _TITLE,
            _TENURE,
            _OWNER,
            _TENANTS,
            _GROUP,
            _LEADER,
            _START,
            _DUE,
            Column("status", "code", "状态", codes=STATUS, aliases=("征拆状态", "进度")),
        ),
    ),
    Noun(
        "units",
        "户",
        None,
        (),
        (
            _UNIT_NUMBER,
            Column("building_id", "text", "房屋编号", required=True, aliases=_BUILDING_IDS),
            _FLOOR_AREA,
            _USE,
            _OWNER,
        ),
    ),
    Noun(
        "owners",
        "权利人",
        None,
        (),
        (
            Column("owner", "text", "权利人名称", required=True, aliases=_OWNER.aliases),
            _UNIT_NUMBER,
        ),
    ),
    Noun(
        "control",
        "控制点",
        None,
        (),
        (
            Column("point", "text", "点名", aliases=("点号",)),
            Column("from_x_m", "float", "原坐标东", "m", required=True, aliases=("原横坐标",)),
            Column("from_y_m", "float", "原坐标北", "m", required=True, aliases=("原纵坐标",)),
            Column("from_height_m", "float", "原高程", "m"),
            Column("to_x_m", "float", "新坐标东", "m", required=True, aliases=("新横坐标",)),
            Column("to_y_m", "float", "新坐标北", "m", required=True, aliases=("新纵坐标",)),
            Column("to_height_m", "float", "新高程", "m"),
        ),
    ),
    Noun(
        "structures",
        "桥涵闸坝",
        "structure_id",
        (),
        (
            Column("structure_id", "text", "建筑物编号", aliases=("编号", "桥涵编号", "名称")),
            _RIVER,
            _STATION,
            Column(
                "kind", "code", "类型", required=True, codes=STRUCTURE_KIND, aliases=("建筑物类型",)
            ),
            Column("low_chord_m", "float", "梁底高程", "m", aliases=("梁底",)),
            Column("deck_m", "float", "桥面高程", "m", aliases=("桥面", "路面高程")),
            Column("from_offset_m", "float", "起点偏距", "m"),
            Column("to_offset_m", "float", "终点偏距", "m"),
            Column("limit_left_m", "float", "分流左限", "m"),
            Column("limit_right_m", "float", "分流右限", "m"),
            Column("width_m", "float", "顺河宽", "m", minimum=0, aliases=("桥宽",)),
            Column("distance_m", "float", "距上断面", "m", minimum=0),
            Column("skew_deg", "float", "斜交角", "°", minimum=0, maximum=80),
            Column("pier_skew_deg", "float", "墩斜角", "°", minimum=0, maximum=80),
            Column("n_piers", "int", "墩数", minimum=0),
            Column("pier_width_m", "float", "墩宽", "m", minimum=0),
            Column("debris_width_m", "float", "漂浮物宽", "m", minimum=0),
            Column("debris_height_m", "float", "漂浮物高", "m", minimum=0),
            Column("method", "text", "低水算法"),
            Column(
                "high_flow",
                "code",
                "高水算法",
                codes={"pressure": ("压力流与堰流",), "energy": ("能量法",)},
            ),
            Column(
                "pressure_by",
                "code",
                "压力流判别",
                codes={"energy": ("能量线",), "level": ("水位",)},
            ),
            Column("pier_drag", "float", "墩阻力系数", minimum=0),
            Column("yarnell_k", "float", "亚内尔系数", minimum=0),
            Column("wspro_c", "float", "WSPRO流量系数", minimum=0),
            Column("sluice", "float", "进口淹没流量系数", minimum=0),
            Column("pressure_chord_m", "float", "压力流判别高程", "m"),
            Column("friction", "bool", "计摩阻"),
            Column("weight", "bool", "计水重"),
            Column("weir_coefficient", "float", "堰流系数", "√m/s", minimum=0),
            Column("max_submergence", "float", "最大淹没度", minimum=0, maximum=1),
            Column("crest", "code", "堰型", codes=CREST),
            Column("crest_m", "float", "堰顶高程", "m"),
            Column("design_head_m", "float", "设计水头", "m", minimum=0),
            *_OPENING,
        ),
    ),
    Noun(
        "structure_parts",
        "建筑物构件",
        None,
        (),
        (
            Column("structure_id", "text", "建筑物编号", required=True, aliases=("编号",)),
            Column("part", "code", "构件", required=True, codes=PART),
            Column("side", "code", "上下游", codes={"up": ("上游侧",), "down": ("下游侧",)}),
            Column("group", "text", "组"),
            _PROFILE,
            Column("offset_m", "float", "偏距", "m"),
            Column("elevation_m", "float", "高程", "m"),
            Column("low_chord_m", "float", "梁底高程", "m"),
            Column("deck_m", "float", "桥面高程", "m"),
            Column("pier_width_m", "float", "墩宽", "m", minimum=0),
            Column("left_bank_m", "float", "左岸偏距", "m"),
            Column("right_bank_m", "float", "右岸偏距", "m"),
            Column("crest_m", "float", "堰顶高程", "m"),
            *_OPENING,
        ),
    ),
    Noun(
        "junctions",
        "汇流口",
        None,
        (),
        (
            Column("junction", "text", "汇流口", required=True),
            Column("river", "text", "河道", required=True, aliases=_RIVER.aliases),
            Column("role", "code", "流向", required=True, aliases=("来去",), codes=ROLE),
            Column("length_m", "float", "长度", "m", minimum=0),
            Column("angle_deg", "float", "夹角", "°", minimum=0, maximum=180),
            Column("method", "code", "算法", codes=JUNCTION_METHOD),
            Column("friction", "bool", "计摩阻"),
            Column("weight", "bool", "计水重"),
        ),
    ),
    Noun(
        "repairs",
        "修复记录",
        None,
        (),
        (
            Column("layer", "text", "图层"),
            Column("id", "text", "编号"),
            Column("change", "text", "修复内容"),
            Column("area_before_m2", "float", "修复前面积", "m²"),
            Column("area_after_m2", "float", "修复后面积", "m²"),
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
            Column("count", "int", "数量"),
            Column("ids", "text", "编号(前五个)"),
            Column("field", "text", "字段"),
            Column("problem", "text", "问题"),
            Column("advice", "text", "建议"),
        ),
    ),
    Noun(
        "tenants",
        "租户",
        "tenant_id",
        (),
        (
            Column("tenant_id", "text", "租户编号", required=True, aliases=("租户编码",)),
            Column("building_id", "text", "房屋编号", required=True, aliases=_BUILDING_IDS),
            Column("kind", "code", "租户类型", codes=TENANT, aliases=("类型", "租户类别")),
            Column("name", "text", "租户名称", aliases=("承租人", "姓名", "名称", "租户姓名")),
            Column("area_m2", "float", "承租面积", "m²", minimum=0, aliases=("租赁面积", "面积")),
            Column("lease_end", "date", "租约到期", aliases=("租期截止", "租赁到期")),
        ),
    ),
    Noun(
        "progress",
        "进度记录",
        None,
        (),
        (
            Column("building_id", "text", "房屋编号", aliases=_BUILDING_IDS),
            Column("tenant_id", "text", "租户编号", aliases=("租户编码",)),
            _STAGE,
            # as it is written: whether a date is one is for the log to judge, row by row
            Column("date", "text", "日期", required=True, aliases=("填报日期", "完成日期", "时间")),
            Column("by", "text", "填报人", aliases=("填表人", "上报人", "经办人")),
            _BLOCKER,
            Column("note", "text", "备注", aliases=("说明",)),
            Column("photo", "text", "照片", aliases=("照片名", "影像")),
            Column("correction", "text", "更正原因", aliases=("更正", "更正说明")),
            Column("source", "text", "来源"),
        ),
    ),
    Noun(
        "handover",
        "进场计划",
        None,
        (),
        (
            _RIVER,
            Column("from_m", "chainage", "起点桩号", "m", required=True, aliases=_FROM.aliases),
            Column("to_m", "chainage", "终点桩号", "m", required=True, aliases=_TO.aliases),
            _BANK,
            Column(
                "needed_by", "date", "要求移交日期", aliases=("进场日期", "需用日期", "移交期限")
            ),
            Column("enters", "date", "开始进场", aliases=("进场开始", "开工日期")),
            Column("m_per_day", "float", "推进速度", "m/天", aliases=("日进尺", "施工速度")),
        ),
    ),
    Noun(
        "capacity",
        "工效",
        None,
        (),
        (
            _GROUP,
            Column("stage", "code", "阶段", codes=STAGE),
            Column("per_day", "float", "每队每日工效", aliases=("日工效", "工效")),
            Column("crews", "int", "队伍数", "支", aliases=("队数", "班组数")),
        ),
    ),
    Noun(
        "cuts",
        "分段界线",
        None,
        (),
        (
            _RIVER,
            _STATION,
            _BANK,
            Column("name", "text", "界线名称", aliases=("社区界", "名称")),
        ),
    ),
    Noun(
        "groups",
        "责任组",
        None,
        (),
        (
            Column("group", "text", "责任组", required=True, aliases=_GROUP.aliases),
            _LEADER,
            Column("members", "text", "成员"),
        ),
    ),
    Noun(
        "activities",
        "工序与状态",
        None,
        (),
        (
            Column("river", "text", "河道"),
            _BANK,
            _FROM,
            _TO,
            Column("node_id", "text", "征拆节点"),
            Column("kind", "code", "对象", codes={"building": ("房屋",), "tenant": ("租户",)}),
            Column("id", "text", "编号"),
            _GROUP,
            Column("stage", "code", "阶段", codes=STAGE),
            Column("date", "date", "日期"),
            Column("done_ratio", "float", "完成比例"),
            Column("first", "date", "首次完成"),
            Column("last", "date", "末次完成"),
            _START,
            _DUE,
        ),
    ),
    Noun(
        "campaign",
        "征拆推进",
        None,
        (),
        (
            Column("task_class", "code", "分类", codes=TASK_CLASS),
            Column("payer", "text", "出资主体"),
            Column("others_due", "date", "他方清拆期限"),
            Column("rooms", "int", "间数", "间"),
            Column("n_rooms", "int", "房屋间数", "间"),
            Column("n_parcels", "int", "宗地数", "宗"),
            Column("n_unpriced", "int", "未计价", "栋"),
            Column("n_collective", "int", "集体物业", "栋"),
            Column("n_private", "int", "私有房屋", "栋"),
            Column("n_state", "int", "国有房屋", "栋"),
            Column("length_m", "float", "长度", "m"),
            Column("share_ratio", "float", "占全区比例"),
            Column("state", "code", "状态", codes=ACTIVITY),
            Column("days", "int", "工期", "工作日"),
            Column("days_left", "int", "剩余工期", "工作日"),
            Column("earliest_start", "date", "最早开始"),
            Column("earliest_finish", "date", "最早完成"),
            Column("latest_start", "date", "最迟开始"),
            Column("latest_finish", "date", "最迟完成"),
            Column("float_days", "int", "机动时间", "工作日"),
            Column("critical", "bool", "关键"),
            Column("finish", "date", "计划完成"),
            Column("late_days", "int", "延误", "工作日"),
            Column("priority", "int", "优先序"),
            Column("why", "text", "优先理由"),
            Column("next_stage", "code", "下一阶段", codes=STAGE),
            Column("next_start", "date", "下一阶段开始"),
            Column("since", "date", "完成日期"),
            Column("blocker_since", "date", "卡点起始"),
            Column("reported", "date", "最近填报"),
            Column("n_done", "int", "已完成", "栋"),
            Column("n_tenants_out", "int", "已清退租户", "户"),
            Column("signal", "code", "红黄绿", codes=SIGNAL),
            Column("late_by_days", "int", "滞后天数", "天"),
            Column("late_since", "date", "滞后起算日"),
            Column("stage_due", "code", "应达阶段", codes=STAGE),
            Column("stage_due_on", "date", "应完成日期"),
            Column("held_up_m", "float", "影响作业面", "m"),
            Column("rank", "int", "排名"),
            Column("n_nodes", "int", "节点数", "个"),
            Column("n_red", "int", "红", "个"),
            Column("n_amber", "int", "黄", "个"),
            Column("n_green", "int", "绿", "个"),
            Column("rate_7", "float", "近7日", "栋/天"),
            Column("rate_14", "float", "近14日", "栋/天"),
            Column("n_left", "int", "剩余", "栋"),
            Column("forecast", "date", "预计完成"),
            Column("forecast_early", "date", "最早预计"),
            Column("forecast_late", "date", "最迟预计"),
            Column("works_m", "float", "工程长度", "m"),
            Column("ready_m", "float", "可移交作业面", "m"),
            Column("blocked_m", "float", "受阻", "m"),
            Column("ready", "bool", "可移交"),
            Column("ready_on", "date", "可移交日期"),
            Column("blocked_by", "text", "阻碍"),
            Column("handed_over_on", "date", "移交日期"),
            Column("load", "float", "工作量"),
            Column("load_ratio", "float", "与平均之比"),
            Column("month", "text", "月份"),
            Column(
                "head",
                "code",
                "费用科目",
                codes={
                    "building": ("房屋补偿",),
                    "relocation": ("搬迁补偿",),
                    "interruption": ("停产停业补偿",),
                    "cost": ("补偿",),
                },
            ),
            Column("planned_yuan", "float", "计划支付", "元"),
            Column("signed_yuan", "float", "已签约", "元"),
            Column(
                "goal",
                "code",
                "目标",
                codes={
                    "largest_lateness": ("最大延误",),
                    "lateness": ("加权总延误",),
                    "priority": ("优先节点",),
                    "together": ("相邻集中",),
                },
            ),
            Column("proof", "code", "证明", codes=SHORT_PROOF),
            Column("crews_more", "int", "需增队伍", "支"),
            Column("column", "text", "项目"),
            Column("value", "float", "数值"),
            Column("district_total", "float", "全区总量"),
            Column("n_groups", "int", "组数", "个"),
            Column("largest_load", "float", "最大工作量"),
            Column("next_smaller_load", "float", "再小一档工作量"),
            Column("groups_needed", "int", "再小一档需组数", "个"),
            Column("bound", "float", "下界"),
            Column("gap_ratio", "float", "差距比例"),
            Column("n_late", "int", "延误节点", "个"),
            Column("late_nodes", "text", "延误节点清单"),
            Column("where", "text", "增队组别与阶段"),
            Column("late_days_then", "int", "增队后延误", "工作日"),
            Column("demand", "text", "督办事项"),
            Column("n_blocking", "int", "阻碍房屋", "栋"),
            Column("nodes", "text", "涉及节点"),
            Column("planned_buildings", "float", "计划拆除", "栋"),
            Column("done_buildings", "float", "已拆除", "栋"),
            Column("planned_floor_area_m2", "float", "计划拆除面积", "m²"),
            Column("done_floor_area_m2", "float", "已拆除面积", "m²"),
            Column("planned_tenants", "float", "计划清退租户", "户"),
            Column("done_tenants", "float", "已清退租户", "户"),
            Column("planned_cost_yuan", "float", "计划签约金额", "元"),
            Column("done_cost_yuan", "float", "已签约金额", "元"),
        ),
    ),  # fmt: skip
)
NOUNS: Mapping[str, Noun] = {n.name: n for n in _NOUNS}
