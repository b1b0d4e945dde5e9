"""Root for one moment: hand SageMaker's mounts to an ordinary user, then become that user for good.

SageMaker mounts the folders of a processing job itself, over anything the image prepared, and no setting gives them an
owner. On AWS only root may write them (aws/sagemaker-python-sdk issue 4764; pull request 4325 repairs the SDK's own
jobs), so an image with another USER ends every run without a report. The program therefore starts as root, changes
the mounts' owner, and gives root up before it reads an argument, a setting or a captured byte.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from plumbline.contract.names import PLATFORM_ROOT, MlPath

USER_ID = 10001
"""User and group of the run, as container/passwd names them: no shell, and no home but the temporary folder."""


class System(Protocol):
    """The part of the module os that changes owners and users."""

    def geteuid(self) -> int:
        """Return the user that this process acts as."""

    def chown(self, path: Path, user: int, group: int, *, follow_symlinks: bool) -> None:
        """Change a file's owner."""

    def setgroups(self, groups: list[int]) -> None:
        """Set the supplementary groups."""

    def setgid(self, group: int) -> None:
        """Become a member of `group` only; as root this cannot be undone."""

    def setuid(self, user: int) -> None:
        """Become `user`; as root this cannot be undone."""


def drop(folders: Sequence[Path], system: System) -> bool:
    """Hand `folders` over, become the ordinary user, and return whether there was anything to drop.

    Nothing happens when the process is not root: the platform chose a user.

    Raises
    ------
    OSError
        If an owner cannot be changed or root cannot be given up: the run must not go on as root.
    """
    if system.geteuid() != 0:
        return False
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        for path in (folder, *folder.rglob("*")):
            system.chown(path, USER_ID, USER_ID, follow_symlinks=False)
    system.setgroups([])
    system.setgid(USER_ID)
    system.setuid(USER_ID)
    return True


def drop_on_platform() -> bool:
    """Drop root in a processing job, and only there: the platform's own file is the sign of one."""
    root = Path(PLATFORM_ROOT)
    if not (root / MlPath.JOB_CONFIG).exists():
        return False
    return drop([root / "processing", root / "output", Path(tempfile.gettempdir())], os)
