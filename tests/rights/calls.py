"""How every method is called, by method and case."""

from typing import Final

from tests.rights.annotation_calls import ANNOTATION_CALLS
from tests.rights.export_calls import EXPORT_CALLS, OPERATION_CALLS
from tests.rights.identity_calls import IDENTITY_CALLS
from tests.rights.media_calls import MEDIA_CALLS
from tests.rights.repository_calls import REPOSITORY_CALLS
from tests.rights.task_calls import CALLS as TASK_CALLS
from tests.rights.webhook_calls import WEBHOOK_CALLS

CALLS: Final = {
    **IDENTITY_CALLS,
    **TASK_CALLS,
    **ANNOTATION_CALLS,
    **MEDIA_CALLS,
    **EXPORT_CALLS,
    **OPERATION_CALLS,
    **REPOSITORY_CALLS,
    **WEBHOOK_CALLS,
}
