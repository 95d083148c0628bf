"""Which buildings must go when a river is widened, which may stay, and at what cost 河道征拆分析.

The names below are loaded when they are first used, so that ``import pinghu_geo`` and the
command line start at once. The list of the public API is ``__init__.pyi``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
