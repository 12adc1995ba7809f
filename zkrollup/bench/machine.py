"""Where and when something was measured. It must not know what."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import zkrollup

__all__ = ["commit", "cores", "machine", "processor_name"]


def processor_name() -> str:
    """The processor's own name for itself, as far as the system tells."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        return platform.processor() or platform.machine()
    return platform.processor() or platform.machine()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def commit() -> str:
    """The commit of the source tree that this package was loaded from; empty outside one."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "native").is_dir() or not (root / "circuits").is_dir():
        return ""  # installed: whatever repository it lies in is somebody else's
    command = ["git", "-C", str(root), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def machine() -> dict[str, Any]:
    """Processor, cores, system, versions, instruction sets, load, commit and time."""
    from zkrollup.engine import available_cpu_paths

    return {
        "processor": processor_name(),
        "cores": cores(),
        "native_paths": available_cpu_paths(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": sys.version.split()[0],
        "zkrollup": zkrollup.__version__,
        "commit": commit() or "unknown",
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
