"""Every method of task, tried as everybody."""

import pytest
from yard.testkit.fixtures import SettingsFor

from tests.rights.calling import answer_of, methods, outcome
from tests.rights.people import PEOPLE, Who
from tests.rights.scene import Platform, task_alone
from tests.rights.table import TABLE, Row
from tests.rights.task_calls import CALLS

SERVICES = sorted({method.split("/")[0] for method, _ in CALLS})
METHODS = methods()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("service", SERVICES)
async def test_everybody_gets_the_answer_of_the_table(service: str, settings_for: SettingsFor) -> None:
    rows = [row for row in TABLE if row.method.startswith(f"{service}/")]
    async with task_alone(settings_for) as platform:
        faults = [
            fault for row in rows for who in PEOPLE.values() if (fault := await fault_of(platform, row, who))
        ]
    assert not faults, "\n".join(faults)


async def fault_of(platform: Platform, row: Row, who: Who) -> str:
    """What is wrong with the answer that somebody gets, "" if nothing is."""
    call = CALLS[row.method, row.case]
    scene = await platform.scene(who, in_project=call.in_project)
    if call.before:
        await platform.running["task"].runtime.db.execute(call.before, scene.task, scene.project)
    channel = platform.channel("task", who)
    found = await outcome(channel, METHODS[row.method], call.request(scene))
    answer, expected = answer_of(found, call, scene), row.answer(who.key)
    if answer != expected:
        return f"{row.method} ({row.case}) as {who.key}: {answer} instead of {expected}"
    if answer != "hidden" or not call.has_target:
        return ""
    absent = scene.absent()
    nothing = await outcome(channel, METHODS[row.method], call.request(absent))
    for name in ("project", "task", "job", "issue", "comment", "operation"):
        old, new = str(getattr(scene, name)), str(getattr(absent, name))
        nothing = nothing.renamed(new, old)
    return "" if nothing == found else f"{row.method} ({row.case}) as {who.key}: {found} is not {nothing}"
