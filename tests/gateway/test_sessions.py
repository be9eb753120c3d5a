"""Logging in as CVAT's clients do."""

from http.cookies import SimpleCookie

import httpx

from tests.gateway.people import PASSWORD, People


async def test_a_session_by_cookies_needs_its_token_to_change_something(people: People) -> None:
    await people.make("cookie.person")
    http = await people.nobody()
    answer = await http.post("/api/auth/login", json={"username": "cookie.person", "password": PASSWORD})
    joined = SimpleCookie(", ".join(answer.headers.get_list("set-cookie")))
    assert {name: morsel.value for name, morsel in joined.items()} == dict(http.cookies)
    assert (await http.get("/api/users/self")).json()["username"] == "cookie.person"
    refused = await http.post("/api/auth/logout")
    assert (refused.status_code, refused.json()["code"]) == (403, "CSRF")
    headers = {"X-CSRFToken": joined["csrftoken"].value}
    assert (await http.post("/api/auth/logout", headers=headers)).status_code == 200
    http.cookies.update({name: morsel.value for name, morsel in joined.items()})
    assert (await http.get("/api/users/self")).status_code == 401


async def test_a_wrong_password_is_a_bad_request(people: People) -> None:
    http = await people.nobody()
    answer = await http.post("/api/auth/login", json={"username": "admin", "password": "wrong"})
    assert answer.status_code == 400
    assert answer.json() == {"non_field_errors": ["user name or password are wrong"]}
    halves = b'{"username": "\\ud800", "password": "x"}'
    refused = await http.post("/api/auth/login", content=halves, headers={"Content-Type": "application/json"})
    assert (refused.status_code, [*refused.json()]) == (400, ["username"])


async def test_basic_credentials_and_keys_are_taken(people: People, admin: httpx.AsyncClient) -> None:
    http = await people.nobody()
    auth = httpx.BasicAuth("admin", people.platform.admin_password)
    assert (await http.get("/api/users/self", auth=auth)).json()["is_superuser"] is True
    assert (await admin.get("/api/users/self/")).json()["username"] == "admin"
    assert (await http.get("/api/users/self")).status_code == 401
