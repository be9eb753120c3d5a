"""Parameters that several routes have."""

from typing import Annotated

from fastapi import Path, Query
from yard.gateway.cvat.numbers import LARGEST_ID

TaskId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="Id of the task.")]
JobId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="Id of the job.")]
PageSize = Annotated[int, Query(ge=1, le=1000, description="Entries at most.")]
PageToken = Annotated[
    str, Query(max_length=4096, description="next_page_token of the page before; all else must be the same.")
]
