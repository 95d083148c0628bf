from . import errors
from .errors import (
    ChainageError,
    CRSError,
    HydraulicsError,
    LayerError,
    OptimiseError,
    OutputError,
    PinghuError,
    ProjectError,
    RateError,
)
from .schema import label

__all__ = [
    "CRSError",
    "ChainageError",
    "HydraulicsError",
    "LayerError",
    "OptimiseError",
    "OutputError",
    "PinghuError",
    "ProjectError",
    "RateError",
    "errors",
    "label",
]
