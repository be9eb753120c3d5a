"""Every method of every service, tried as everybody."""

from pathlib import Path

import pytest
from yard.testkit.fixtures import SettingsFor

from tests.rights import scene
from tests.rights.calls import CALLS
from tests.rights.matrix import faults_of, tries_of
from tests.rights.media import bring_media
from tests.rights.media_calls import USELESS_GRANT_CALLS, USELESS_GRANTS
from tests.rights.platform import all_services
from tests.rights.table import TABLE


@pytest.mark.timeout(300)
async def test_everybody_gets_the_answer_of_the_table(settings_for: SettingsFor, tmp_path: Path) -> None:
    tries = [*tries_of(TABLE, CALLS), *tries_of(USELESS_GRANTS, USELESS_GRANT_CALLS)]
    async with all_services(settings_for, share=tmp_path) as platform:
        await scene.prepare(platform)
        await bring_media(platform, tmp_path)
        faults = await faults_of(platform, tries)
    assert not faults, "\n".join(faults)
