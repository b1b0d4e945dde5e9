"""The container's entry point: ``python -m drift``."""

import sys

from drift.cli import main

sys.exit(main())
