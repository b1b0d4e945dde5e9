"""Which modules of the container a call runs code of."""

import importlib
import pkgutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from plumbline import drift

_ROOT = Path(drift.__file__).resolve().parent
_NOT_IMPORTED = ("plumbline.drift.__main__", "plumbline.drift.retraining.__main__")
"""Entry points: their import runs the program."""


def entered_modules(call: Callable[[], object]) -> set[str]:
    """Return the files, relative to the container's package, that have a function which `call` enters.

    All modules are imported before: neither an import nor a function that runs during one counts.
    """
    for module in pkgutil.walk_packages(drift.__path__, f"{drift.__name__}."):
        if not module.name.endswith(_NOT_IMPORTED):
            importlib.import_module(module.name)
    entered: set[str] = set()

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_name != "<module>":
            entered.add(frame.f_code.co_filename)

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    files = {Path(name).resolve() for name in entered}
    return {file.relative_to(_ROOT).as_posix() for file in files if file.is_relative_to(_ROOT)}
