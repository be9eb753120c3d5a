"""The command: `python -m yard.embedded`."""

import sys

from yard.embedded.cli import main

sys.exit(main())
