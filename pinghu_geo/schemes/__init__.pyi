from .alternatives import Assessment, Comparison, Differences, assess, compare, differences
from .cost import clearing, compensation
from .designs import Designs, assess_many
from .distributed import affected_parquet
from .nodes import node_ids, node_table
from .retention import retention_rules, retention_verdict

__all__ = [
    "Assessment",
    "Comparison",
    "Designs",
    "Differences",
    "affected_parquet",
    "assess",
    "assess_many",
    "clearing",
    "compare",
    "compensation",
    "differences",
    "node_ids",
    "node_table",
    "retention_rules",
    "retention_verdict",
]
