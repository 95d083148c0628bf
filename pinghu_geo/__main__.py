"""``python -m pinghu_geo`` is the command line."""

from pinghu_geo.cli import main

main()
