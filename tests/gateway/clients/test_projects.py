"""Projects, labels, jobs, issues, lists and backups by CVAT's SDK."""

from tests.gateway.clients.conftest import Drive
from tests.gateway.clients.test_annotations import COME_BACK, EVERYTHING, importer
from tests.gateway.people import People


def test_projects_live(drive: Drive) -> None:
    assert drive("projects.life") == {"owner": "admin"}


def test_tasks_move_into_projects(drive: Drive) -> None:
    assert drive("projects.moved") == EVERYTHING


def test_data_sets_of_projects_are_exported(drive: Drive) -> None:
    assert drive("projects.datasets") == [
        "annotations.xml",
        *(f"images/Train/p{number:02}.png" for number in range(4)),
    ]


def test_data_sets_become_tasks_of_projects(drive: Drive) -> None:
    names = {exporter: importer(exporter) for exporter in COME_BACK if exporter != "TFRecord 1.0"}
    found = drive("projects.imported", names=names)
    assert found == {exporter: dict.fromkeys(("Train", "Val"), COME_BACK[exporter]) for exporter in names}


def test_data_sets_with_other_labels_are_refused(drive: Drive) -> None:
    told = drive("projects.unknown")
    assert all(name in told for name in ("'car'", "'person'", "'night'", "nothing was made"))


async def test_jobs_are_given_to_people(drive: Drive, people: People) -> None:
    await people.make("sdk.worker")
    assert drive("projects.jobs", worker="sdk.worker") == [[0, 1], [2, 3]]


def test_issues_are_talked_about(drive: Drive) -> None:
    assert drive("projects.issues") == ["a cat", "what is this?"]


def test_labels_change_one_by_one(drive: Drive) -> None:
    assert drive("projects.labels") == {"truck": "any", "human": "any", "dog": "rectangle"}


def test_lists_are_filtered_and_paged(drive: Drive) -> None:
    drive("projects.lists")


def test_backups_are_restored(drive: Drive) -> None:
    found = drive("projects.backups")
    assert found == {"name": "kept", "kinds": EVERYTHING, "labels": ["car", "night", "person"]}


def test_organizations_are_not_there_and_said_so(drive: Drive) -> None:
    drive("projects.organizations")
