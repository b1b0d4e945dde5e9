"""The container's entry point: ``python -m drift``."""

import sys

from plumbline.drift.settings.privileges import drop_on_platform

drop_on_platform()

# After root is gone: nothing of the run, not even its imports, acts as root.
from plumbline.drift.cli import main  # noqa: E402

sys.exit(main())
