"""The command of the platform with one small service in place of ours: `few_services.py up --data DIR`."""

import sys
from pathlib import Path

from yard.embedded.cli import main
from yard.embedded.services import ServiceSpec

PROBE = ServiceSpec(name="probe", arguments=(str(Path(__file__).with_name("probe_service.py")), "probe"))

sys.exit(main(services=(PROBE,)))
