"""Who is hit by a red line, and by how much 红线与受影响房屋."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
