"""How every method is called, by method and case."""

from typing import Final

from tests.rights.export_calls import EXPORT_CALLS, OPERATION_CALLS
from tests.rights.identity_calls import IDENTITY_CALLS
from tests.rights.media_calls import MEDIA_CALLS
from tests.rights.task_calls import CALLS as TASK_CALLS

CALLS: Final = {**IDENTITY_CALLS, **TASK_CALLS, **MEDIA_CALLS, **EXPORT_CALLS, **OPERATION_CALLS}
