"""Entry point of the pipeline's jobs: ``python -m plumbline.drift.retraining``."""

import sys

from plumbline.drift.settings.privileges import drop_on_platform

drop_on_platform()

# After root is gone, as in drift/__main__.py.
from plumbline.drift.retraining.cli import main  # noqa: E402

sys.exit(main())
