"""Real servers for tests, without containers: Elasticsearch and PostgreSQL on this machine.

    python .ci/services.py start                 both, on ports of their own; prints what to export
    python .ci/services.py start elasticsearch   one of them
    python .ci/services.py kill elasticsearch    as kill -9 does
    python .ci/services.py wipe elasticsearch    stops it and takes its data away
    python .ci/services.py stop

Elasticsearch comes from Maven Central by ``mvn`` and is kept in the folder (124 MB once); it needs
a JDK of 21 or later. PostgreSQL is the distribution's package; where it is missing and this is
Debian, run as root, it is installed. Neither is part of the product or shipped with it: the licence
of Elasticsearch would not have it. Folder: ``REGTECH_SERVICES``, or one below the temporary folder.
Only the standard library is used.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ELASTICSEARCH = "9.4.3"
ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{ELASTICSEARCH}:zip"
MAVEN_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:get"
JAVA_MIN = 21
HEAP = os.environ.get("REGTECH_ELASTIC_HEAP", "256m")
PORTS = {
    "elasticsearch": int(os.environ.get("REGTECH_ELASTIC_PORT", "19200")),
    "postgresql": int(os.environ.get("REGTECH_POSTGRES_PORT", "15432")),
}
START_S = 180
FOLDER = Path(
    os.environ.get("REGTECH_SERVICES")
    or Path(tempfile.gettempdir()) / f"regtech-services-{os.getuid()}"
)
# Both servers refuse to run as root.
NOBODY = 65534 if os.getuid() == 0 else None


class ServiceError(Exception):
    """A server could not be had; the text says what to do."""


def run(command: list[str], *, as_nobody: bool = False, **more: Any) -> str:
    """Run to the end; gives its output. Raises ``ServiceError`` with the end of it."""
    user: dict[str, Any] = {}
    if as_nobody and NOBODY:
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    found = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **user, **more
    )
    if found.returncode:
        raise ServiceError(f"{' '.join(command)} ended with {found.returncode}:\n{found.stdout}")
    return str(found.stdout)


def owned(folder: Path) -> Path:
    """The folder, made, and given to the user that the server runs as."""
    folder.mkdir(parents=True, exist_ok=True)
    if NOBODY:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    return folder


def ready(port: int) -> bool:
    """Whether something answers on the port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def wait(what: str, check: Callable[[], object], log: Path) -> None:
    """Wait until it is there. Raises ``ServiceError`` with the end of the log."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if check():
            return
        time.sleep(0.2)
    text = log.read_text(errors="replace")[-3000:] if log.is_file() else "no log"
    raise ServiceError(f"{what} did not start in {START_S} s:\n{text}")


# --- Elasticsearch


def java_home() -> str:
    """A JDK that is new enough. Raises ``ServiceError``."""
    given = [os.environ.get("ES_JAVA_HOME", ""), os.environ.get("JAVA_HOME", "")]
    found = shutil.which("java")
    given += [str(Path(found).resolve().parents[1])] if found else []
    for home in (*given, *sorted(glob.glob("/usr/lib/jvm/*"))):
        java = Path(home, "bin", "java")
        if home and java.is_file():
            said = run([str(java), "-version"])
            version = re.search(r'version "(\d+)', said)
            if version and int(version[1]) >= JAVA_MIN:
                return home
    raise ServiceError(f"no JDK of {JAVA_MIN} or later: set ES_JAVA_HOME")


def fetch_elasticsearch() -> Path:
    """The server's archive, from Maven Central where it is not kept yet."""
    kept = FOLDER / f"elasticsearch-{ELASTICSEARCH}.zip"
    if kept.is_file():
        return kept
    maven = shutil.which("mvn")
    if maven is None:
        raise ServiceError("mvn is not installed: it fetches Elasticsearch from Maven Central")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as local:
        # A repository that is thrown away, so that the archive is not kept twice.
        print(f"fetching {ARTIFACT}", file=sys.stderr, flush=True)
        run([maven, "-q", "-B", f"-Dmaven.repo.local={local}", MAVEN_PLUGIN,
             "-Dtransitive=false", f"-Dartifact={ARTIFACT}"])  # fmt: skip
        (archive,) = Path(local).rglob(kept.name)
        archive.rename(kept)
    return kept


def start_elasticsearch() -> None:
    """Unpack, configure, start, and wait until it answers."""
    base, port = FOLDER / "elasticsearch", PORTS["elasticsearch"]
    if pid_of("elasticsearch"):
        return
    if ready(port):
        raise ServiceError(f"port {port} is taken: set REGTECH_ELASTIC_PORT")
    home = base / f"elasticsearch-{ELASTICSEARCH}"
    if not home.is_dir():
        archive = fetch_elasticsearch()
        print(f"unpacking {archive.name}", file=sys.stderr, flush=True)
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist():
                path = Path(packed.extract(entry, base))
                mode = entry.external_attr >> 16
                if mode and not entry.is_dir():
                    path.chmod(mode & 0o777)
    config = base / "config"
    config.mkdir(parents=True, exist_ok=True)
    for name in ("log4j2.properties", "jvm.options", "users", "users_roles", "roles.yml"):
        if (home / "config" / name).is_file():
            shutil.copy(home / "config" / name, config / name)
    (config / "jvm.options.d").mkdir(exist_ok=True)
    (config / "jvm.options.d" / "test.options").write_text(
        # The first compiler alone: half the start, and the tests are short.
        f"-Xms{HEAP}\n-Xmx{HEAP}\n-XX:TieredStopAtLevel=1\n"
    )
    (config / "elasticsearch.yml").write_text(
        f"cluster.name: regtech-test\nnode.name: regtech-test\n"
        f"path.data: {base}/data\npath.logs: {base}/logs\n"
        f"network.host: 127.0.0.1\nhttp.port: {port}\ntransport.port: {port + 100}\n"
        "discovery.type: single-node\nxpack.security.enabled: false\n"
        "cluster.routing.allocation.disk.threshold_enabled: false\n"
        # What is written to an index that is not there has to fail, as it does in deployments.
        "action.auto_create_index: false\n"
    )
    for name in ("data", "logs", "tmp"):
        (base / name).mkdir(exist_ok=True)
    owned(base)
    log = base / "logs" / "console.log"
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(base),
        "ES_JAVA_HOME": java_home(),
        "ES_PATH_CONF": str(config),
        "ES_TMPDIR": str(base / "tmp"),
        "CLI_JAVA_OPTS": "-XX:TieredStopAtLevel=1",
    }
    run([str(home / "bin" / "elasticsearch"), "-d", "-p", str(base / "server.pid")],
        as_nobody=True, env=environment, cwd=base)  # fmt: skip
    wait("Elasticsearch", lambda: healthy(port), log)


def healthy(port: int) -> bool:
    """Whether the server has read its data and answers."""
    url = f"http://127.0.0.1:{port}/_cluster/health?wait_for_status=yellow&timeout=5s"
    with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url) as told:
        return bool(told.status == 200)
    return False


# --- PostgreSQL


def postgres_bin() -> Path:
    """The folder of the server's programs; the package is installed where it can be."""
    for _ in range(2):
        found = [Path(path) for path in sorted(glob.glob("/usr/lib/postgresql/*/bin"))]
        program = shutil.which("initdb")
        found += [Path(program).resolve().parent] if program else []
        usable = [path for path in found if (path / "initdb").is_file()]
        if usable:
            return usable[-1]
        if os.getuid() or not shutil.which("apt-get"):
            break
        print("installing the package postgresql", file=sys.stderr, flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update", "-qq"], env=quiet)
        run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", "postgresql"], env=quiet)
    raise ServiceError("PostgreSQL is not installed: apt-get install postgresql")


def start_postgresql() -> None:
    """Make a cluster where there is none, start it, and wait until it answers."""
    base, port = FOLDER / "postgresql", PORTS["postgresql"]
    if pid_of("postgresql"):
        return
    if ready(port):
        raise ServiceError(f"port {port} is taken: set REGTECH_POSTGRES_PORT")
    programs, data = postgres_bin(), base / "data"
    owned(base)
    if not (data / "PG_VERSION").is_file():
        run([str(programs / "initdb"), "-D", str(data), "-U", "regtech", "-A", "trust",
             "-E", "UTF8", "--locale=C.UTF-8"], as_nobody=True, cwd=base)  # fmt: skip
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={base}"
    log = base / "server.log"
    run([str(programs / "pg_ctl"), "-D", str(data), "-l", str(log), "-w", "-t", str(START_S),
         "-o", options, "start"], as_nobody=True, cwd=base)  # fmt: skip


# --- both


def pid_of(name: str) -> int | None:
    """The server's process, where it is ours and alive."""
    base = FOLDER / name
    file = base / ("server.pid" if name == "elasticsearch" else "data/postmaster.pid")
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int(file.read_text().split()[0])
        if str(base).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    return None


def end(name: str, sign: signal.Signals) -> None:
    """Send a signal and wait until the process is gone."""
    pid = pid_of(name)
    if pid is None:
        return
    # As for PostgreSQL: fast shutdown. A kill of its first process ends the others by itself.
    os.kill(pid, signal.SIGINT if name == "postgresql" and sign == signal.SIGTERM else sign)
    until = time.monotonic() + 60
    while pid_of(name) == pid and time.monotonic() < until:
        time.sleep(0.05)
    if pid_of(name) == pid:
        raise ServiceError(f"{name} ({pid}) does not end")


def url_of(name: str) -> str:
    """What tests are told."""
    if name == "elasticsearch":
        return f"http://127.0.0.1:{PORTS[name]}"
    return f"postgresql://regtech@127.0.0.1:{PORTS[name]}/postgres"


VARIABLES = {"elasticsearch": "REGTECH_TEST_ELASTIC", "postgresql": "REGTECH_TEST_POSTGRES"}
STARTS = {"elasticsearch": start_elasticsearch, "postgresql": start_postgresql}


def main(words: list[str]) -> int:
    """``start``, ``stop``, ``kill`` or ``wipe``, and which; all where none is named."""
    if not words or words[0] not in ("start", "stop", "kill", "wipe"):
        print(__doc__, file=sys.stderr)
        return 2
    action, names = words[0], words[1:] or list(STARTS)
    for name in names:
        if name not in STARTS:
            print(f"no server {name}: {', '.join(STARTS)}", file=sys.stderr)
            return 2
        try:
            if action == "start":
                STARTS[name]()
                print(f"export {VARIABLES[name]}={url_of(name)}", flush=True)
                continue
            end(name, signal.SIGKILL if action == "kill" else signal.SIGTERM)
            if action == "wipe":
                shutil.rmtree(FOLDER / name / "data", ignore_errors=True)
        except ServiceError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
