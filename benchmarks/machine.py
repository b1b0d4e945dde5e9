"""What the measurements were made on."""

import os
import platform
from pathlib import Path


def describe() -> dict[str, str]:
    """Return processor, cores, memory and system in words; what the system does not tell is left out."""
    facts = {
        "processor": _line("/proc/cpuinfo", "model name"),
        "cores": str(os.cpu_count() or ""),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "python": platform.python_version(),
    }
    return {name: text for name, text in facts.items() if text}


def core_to_pin() -> int | None:
    """Return the last core that this process may use: the first one serves the system's interrupts."""
    return max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def _memory() -> str:
    kilobytes = _line("/proc/meminfo", "MemTotal").split()
    return f"{int(kilobytes[0]) * 1024 / 1e9:.0f} GB" if kilobytes else ""


def _line(file: str, key: str) -> str:
    """Return the value after ``key:`` in a file of the kernel; empty when there is none."""
    try:
        lines = Path(file).read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")
