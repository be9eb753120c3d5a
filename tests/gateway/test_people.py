"""Accounts, passwords and personal access tokens over HTTP."""

from datetime import timedelta
from typing import Any

import httpx
from yard.runtime import clock

from tests.gateway.people import PASSWORD, People

TOKENS = "/api/auth/access_tokens"


async def test_a_token_is_made_used_changed_and_ended(people: People) -> None:
    person = await people.make("token.person")
    made = await person.post(TOKENS, json={"name": "script", "read_only": True})
    assert made.status_code == 201, made.text
    token = made.json()
    assert (token["name"], token["read_only"], token["expiry_date"]) == ("script", True, None)
    assert token["owner"]["username"] == "token.person"
    program = await people.nobody()
    program.headers["Authorization"] = f"Bearer {token['value']}"
    itself = (await program.get(f"{TOKENS}/self")).json()
    assert itself["id"] == token["id"]
    assert "value" not in itself
    assert itself["last_used_date"] is not None
    refused = await program.post("/api/tasks", json={"name": "x"})
    assert refused.status_code == 403
    end = (clock.now() + timedelta(days=2)).isoformat()
    one = f"{TOKENS}/{token['id']}"
    changed = (await person.patch(one, json={"name": "robot", "expiry_date": end})).json()
    assert (changed["name"], changed["expiry_date"] is not None) == ("robot", True)
    assert (await person.patch(one, json={"expiry_date": None})).json()["expiry_date"] is None
    listed = (await person.get(TOKENS)).json()
    assert (listed["count"], listed["results"][0]["name"]) == (1, "robot")
    assert (await person.delete(one)).status_code == 204
    assert (await person.get(one)).status_code == 404
    fresh = await people.nobody()
    wrong = {"Authorization": f"Bearer {token['value']}x"}
    assert (await fresh.get("/api/users/self", headers=wrong)).status_code == 401


async def test_faults_of_tokens_are_named_as_clients_name_them(people: People) -> None:
    person = await people.make("token.faults")
    past = (clock.now() - timedelta(days=2)).isoformat()
    answer = await person.post(TOKENS, json={"name": "old", "expiry_date": past})
    assert (answer.status_code, list(answer.json())) == (400, ["expiry_date"])
    token = (await person.post(TOKENS, json={"name": "new"})).json()
    one = f"{TOKENS}/{token['id']}"
    answer = await person.patch(one, json={"read_only": True})
    assert (answer.status_code, list(answer.json())) == (400, ["read_only"])
    stranger = await people.make("token.stranger")
    for there in (stranger.get(one), stranger.patch(one, json={"name": "x"}), stranger.delete(one)):
        assert (await there).status_code == 404
    assert (await person.get(f"{TOKENS}/self")).status_code == 404


async def test_a_password_is_changed(people: People) -> None:
    person = await people.make("password.person")
    change = {
        "old_password": "wrong",
        "new_password1": "another long one",
        "new_password2": "another long one",
    }
    refused = await person.post("/api/auth/password/change", json=change)
    assert (refused.status_code, list(refused.json())) == (400, ["old_password"])
    mistyped = change | {"old_password": PASSWORD, "new_password2": "another"}
    refused = await person.post("/api/auth/password/change", json=mistyped)
    assert (refused.status_code, list(refused.json())) == (400, ["new_password2"])
    changed = await person.post("/api/auth/password/change", json=change | {"old_password": PASSWORD})
    assert changed.status_code == 200, changed.text
    http = await people.nobody()
    login = {"username": "password.person", "password": PASSWORD}
    assert (await http.post("/api/auth/login", json=login)).status_code == 400
    login["password"] = "another long one"
    assert (await http.post("/api/auth/login", json=login)).status_code == 200
    assert (await http.post("/api/auth/password/reset", json={})).status_code == 501


async def test_accounts_are_made_and_changed_by_administrators(people: People) -> None:
    admin, nobody = people.admin, await people.nobody()
    new = {"username": "registered", "email": "a@example.org", "password1": PASSWORD, "password2": PASSWORD}
    assert (await nobody.post("/api/auth/register", json=new)).status_code == 401
    person = await people.make("registering.person")
    assert (await person.post("/api/auth/register", json=new)).status_code == 403
    made = await admin.post("/api/auth/register", json=new)
    assert (made.status_code, made.json()["groups"]) == (201, ["user"])
    bad = new | {"username": "with space", "password1": "short", "password2": "short"}
    answer = await admin.post("/api/auth/register", json=bad)
    assert (answer.status_code, sorted(answer.json())) == (400, ["password1", "username"])
    one = f"/api/users/{made.json()['id']}"
    changed = (await admin.patch(one, json={"first_name": "Ann", "groups": ["worker"]})).json()
    assert (changed["first_name"], changed["groups"]) == ("Ann", ["worker"])
    assert (await admin.patch(one, json={"is_active": False})).json()["is_active"] is False
    assert (await person.patch(one, json={"first_name": "x"})).status_code == 403
    own = (await person.get("/api/users/self")).json()["url"]
    assert (await person.patch(own, json={"last_name": "Mine"})).json()["last_name"] == "Mine"
    assert (await person.patch(own, json={"is_superuser": True})).status_code == 403
    refused = await admin.delete(one)
    assert (refused.status_code, "is_active" in refused.json()["detail"]) == (501, True)


async def test_what_there_is_not_says_so(admin: httpx.AsyncClient) -> None:
    page: dict[str, Any] = {"count": 0, "next": None, "previous": None, "results": []}
    for path in ("organizations", "memberships", "invitations", "cloudstorages"):
        assert (await admin.get(f"/api/{path}")).json() == page
    for path in ("lambda/functions", "lambda/requests"):
        assert (await admin.get(f"/api/{path}")).json() == []
    for path in ("organizations/1", "cloudstorages/1", "lambda/functions/x", "lambda/requests/x"):
        assert (await admin.get(f"/api/{path}")).status_code == 404
    for path in ("organizations", "cloudstorages", "lambda/requests", "quality/reports", "guides", "events"):
        answer = await admin.post(f"/api/{path}", json={"slug": "x"})
        assert (answer.status_code, bool(answer.json()["detail"])) == (501, True)
    assert (await admin.get("/api/tasks", headers={"X-Organization": ""})).status_code == 200
    assert (await admin.get("/api/tasks", headers={"X-Organization": "acme"})).status_code == 404


async def test_lists_of_people_and_tokens_are_narrowed_and_sorted(people: People) -> None:
    made = {name: await people.make(f"narrow.{name}") for name in "abc"}
    ids, person = {}, made["c"]
    for name, first in (("a", "Zoe"), ("b", "Ann"), ("c", "Zoe")):
        number = (await made[name].get("/api/users/self")).json()["id"]
        names = {"first_name": first, "last_name": f"Of {first}"}
        assert (await made[name].patch(f"/api/users/{number}", json=names)).status_code == 200
        ids[number] = name

    async def listed(**query: Any) -> str:
        page = (await people.admin.get("/api/users", params=query)).raise_for_status().json()
        assert page["count"] >= len(page["results"])
        return "".join(ids[user["id"]] for user in page["results"] if user["id"] in ids)

    assert await listed(search="narrow.") == "abc"
    assert await listed(search="narrow.", sort="-id") == "cba"
    assert await listed(first_name="Zoe") == "ac"
    assert await listed(filter='{"in":["of ann",{"var":"last_name"}]}') == "b"
    assert await listed(search="narrow.", is_active="true", sort="first_name,-username") == "bca"
    page = (await people.admin.get("/api/users", params={"first_name": "Zoe", "page_size": 1})).json()
    following = (await people.admin.get(page["next"])).json()
    assert [ids[page["results"][0]["id"]], ids[following["results"][0]["id"]]] == ["a", "c"]
    for name in ("one", "two"):
        token = await person.post(TOKENS, json={"name": name, "read_only": name == "one"})
        assert token.status_code == 201
    for query, wanted in (
        ({"search": "tw"}, ["two"]),
        ({"read_only": "true"}, ["one"]),
        ({"sort": "name"}, ["one", "two"]),
        ({"filter": '{"var":"last_used_date"}'}, []),
    ):
        found = (await person.get(TOKENS, params=query)).json()
        assert [token["name"] for token in found["results"]] == wanted
    for path in ("/api/users", TOKENS):
        for name, value in (("filter", "{"), ("sort", "password")):
            refused = await person.get(path, params={name: value})
            assert (refused.status_code, [*refused.json()]) == (400, [name])
