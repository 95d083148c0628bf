"""A PostgreSQL server with PostGIS of our own, for tests and benchmarks."""

import shutil
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path

BIN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
READY = BIN is not None and next(
    BIN.parent.parent.parent.parent.glob("share/postgresql/*/extension/postgis.control"), None
)


@contextmanager
def fresh_database(folder):
    """Connection to a fresh database in the folder, on a free port of the loopback."""
    import psycopg

    for up in (folder, *folder.parents[:3]):
        up.chmod(0o755)
    shutil.chown(folder, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def server(*words):
        subprocess.run(["runuser", "-u", "postgres", "--", *map(str, words)], check=True,
                       stdout=subprocess.DEVNULL, cwd=folder)  # fmt: skip

    server(BIN / "initdb", "-D", folder / "d", "-A", "trust", "--no-sync")
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    )
    server(BIN / "pg_ctl", "-D", folder / "d", "-w", "-l", folder / "log", "-o", options, "start")
    try:
        with psycopg.connect(f"host=127.0.0.1 port={port} user=postgres", autocommit=True) as one:
            one.execute("CREATE EXTENSION postgis")
            yield one
    finally:
        server(BIN / "pg_ctl", "-D", folder / "d", "-m", "immediate", "stop")
