"""Which codes do columns hold? And the words in which deliveries say them."""

from __future__ import annotations

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
    "registered": ("有证", "已登记", "有产权证", "有产权", "有房产证", "有不动产证"),
    "historical": ("历史遗留", "历史遗留违法建筑", "历史遗留建筑"),
    "unregistered": ("无证", "未登记", "违法建筑", "无产权证", "无产权", "无房产证", "无不动产证"),
}
TENURE = {
    "private": ("私有", "个人", "私人", "私产", "个人所有"),
    "collective": ("集体", "集体所有", "集体产权", "村集体"),
    "state": ("国有", "国家所有", "国有产权", "公产"),
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
    "todo": ("未签约", "未启动"),
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
# as a planner reads them: what is ours to do, what isn't decided, what isn't ours
TASK_CLASS = {
    "task": ("任务",),
    "review": ("待核",),
    "survey": ("待勘",),
    "retain": ("保留",),
    "others": ("他方清拆",),
}
TENANT = {
    "dwelling": ("住户", "居住", "住家"),
    "shop": ("商户", "商铺", "店铺"),
    "factory": ("工厂", "厂房", "企业"),
}
SIGNAL = {"red": ("红",), "amber": ("黄",), "green": ("绿",)}
ACTIVITY = {"done": ("已完成",), "running": ("进行中",), "planned": ("计划",)}
SHORT_PROOF = {"optimal": ("已证最优",), "feasible": ("可行",)}
# what becomes of a building by a line that was found, and what keeps the line on it
FATE = {
    "saved": ("避免拆除",), "added": ("新增拆除",), "demolished": ("拆除",), "near": ("净距不足",),
    "spared": ("未占",),
}  # fmt: skip
HINDRANCE = {
    "reach": ("超出可移范围",), "least_half": ("半宽下限",), "width": ("河宽下限",),
    "conveyance": ("过流能力",), "cost": ("另处代价更大",),
}  # fmt: skip
SUGGESTION = {"keep": ("保留",), "cut": ("部分拆除",), "whole": ("整栋拆除",)}
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
# what `water_profile` and `building_rises` doubt; a cell may list several
DOUBT = {
    "critical_default": ("无平衡水位,取临界水位",),
    "unbalanced": ("能量不平衡",),
    "carried": ("由不平衡水位推得",),
    "froude": ("弗劳德数大于0.9",),
    "conveyance_ratio": ("与下一断面流量模数相差过大",),
    "above_ends": ("水位高出断面端点",),
    "spacing": ("断面间距过大",),
    "alpha": ("动能修正系数大于2",),
    "several_minima": ("临界水深不唯一",),
    "left_out": ("有未计入的建筑物",),
    "pressurised": ("水面抵涵顶",),
    "blocked": ("断面下半受阻",),
    "tributary": ("支流汇入而流量未增",),
    "implausible": ("数值可疑",),
    "several_levels": ("桥内另有平衡水位",),
    "wspro_assumed": ("WSPRO 流量系数为假定值",),
    "formula_step": ("临近桥梁计算公式转换处",),
    "split": ("按所给分流,各汊能头不一致",),
    "unsurveyed": ("所在处无断面",),
    "covered": ("位于暗涵之上",),
}
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
# how low flow passes a bridge; a cell may join several by +
BRIDGE_METHOD = JUNCTION_METHOD | {
    "yarnell": ("Yarnell公式",),
    "wspro": ("WSPRO法", "WSPRO"),
}
# how the water passes a structure; a cell joins several by +, the class of low flow behind them
CONTROL = BRIDGE_METHOD | {
    "pressure_inlet": ("闸孔式压力流",),
    "pressure_full": ("满孔压力流",),
    "inlet": ("进口控制",),
    "outlet": ("出口控制",),
    "weir": ("堰流",),
    "gate": ("闸孔出流",),
    "drop": ("跌水",),
    "road": ("漫路",),
}
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
