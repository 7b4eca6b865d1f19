"""Commands in processes of their own, and what they leave."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOST = ("unshare", "--map-root-user", "--net", "--pid", "--fork", "--mount-proc", "--kill-child")
"""What puts a command into namespaces of its own."""


def has_hosts() -> bool:
    """Whether this machine makes such namespaces for us."""
    return bool(shutil.which("unshare")) and not subprocess.run([*HOST, "true"], check=False, stderr=-3).returncode


def start(*words: str, host: bool = False) -> subprocess.Popen:
    """A command in a process of its own.

    host: on what is a machine of its own but for the disk: no network, no processes, and no locks' holders are shared.
    """
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [*(HOST if host else ()), sys.executable, "-m", "pipelines.cli", *words]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
