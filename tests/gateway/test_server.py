"""What the server offers, over HTTP."""

from pathlib import Path

import httpx

SHARE = "/api/server/share"


async def test_formats_are_listed(admin: httpx.AsyncClient) -> None:
    formats = (await admin.get("/api/server/annotation/formats")).json()
    exporters = {one["name"]: one for one in formats["exporters"]}
    importers = {one["name"]: one for one in formats["importers"]}
    assert exporters["COCO 1.0"] == {
        "name": "COCO 1.0",
        "ext": "ZIP",
        "version": "1.0",
        "enabled": True,
        "dimension": "2d",
    }
    assert {"CVAT for images 1.1", "CVAT for video 1.1"} <= set(exporters)
    assert "CVAT 1.1" in importers
    assert "CVAT 1.1" not in exporters
    assert (await admin.get("/api/server/plugins")).json()["MODELS"] is False


async def test_shares_are_listed_folder_by_folder(admin: httpx.AsyncClient, nas: Path) -> None:
    inside = nas / "listed" / "deep"
    inside.mkdir(parents=True)
    for number in range(3):
        (nas / "listed" / f"b{number}.jpg").write_bytes(b"x")
    (nas / "listed" / "a.mp4").write_bytes(b"x")
    assert (await admin.get(SHARE)).json() == [{"name": "nas", "type": "DIR", "mime_type": "DIR"}]
    listed = (await admin.get(SHARE, params={"directory": "/nas/listed/"})).json()
    assert [(one["name"], one["type"], one["mime_type"]) for one in listed] == [
        ("deep", "DIR", "DIR"),
        ("a.mp4", "REG", "video"),
        *[(f"b{number}.jpg", "REG", "image") for number in range(3)],
    ]
    found = (await admin.get(SHARE, params={"directory": "nas/listed", "search": "b"})).json()
    assert [one["name"] for one in found] == ["b0.jpg", "b1.jpg", "b2.jpg"]
    assert (await admin.get(SHARE, params={"directory": "/nas/listed/deep"})).json() == []
    for wrong in ("/elsewhere", "/nas/absent", "/nas/../..", "/nas/listed/a.mp4"):
        answer = await admin.get(SHARE, params={"directory": wrong})
        assert answer.status_code == 400, wrong


async def test_long_folders_come_whole(admin: httpx.AsyncClient, nas: Path) -> None:
    (nas / "long").mkdir()
    for number in range(2_100):
        (nas / "long" / f"{number:05}.png").touch()
    listed = (await admin.get(SHARE, params={"directory": "/nas/long"})).json()
    assert [one["name"] for one in listed] == [f"{number:05}.png" for number in range(2_100)]
