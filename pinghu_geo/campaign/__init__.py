"""Who clears what, when, and where do we stand 征拆推进."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
