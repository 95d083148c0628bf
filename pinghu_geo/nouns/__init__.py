"""What are the tables, and how does one speak of them 表与列."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
