"""How repositories are opened: tokens, keys, and keys of hosts. What is kept is never shown."""

from typing import Any

from frameyard.sync.v1 import repository_service_pb2 as messages
from frameyard.sync.v1.repository_pb2 import CREDENTIAL_KIND_KEY, CREDENTIAL_KIND_TOKEN
from yard.repo_sync import keys
from yard.repo_sync.domain.due import due_at
from yard.repo_sync.domain.rows import Repository
from yard.repo_sync.git.access import Access
from yard.repo_sync.handlers.access import changeable_task, connected, repository_of
from yard.repo_sync.handlers.connecting import NO_CREDENTIAL, NO_HOST_KEYS, adopt
from yard.repo_sync.handlers.context import DUE, Syncing, belongs_to
from yard.repo_sync.handlers.messages import shown
from yard.repo_sync.handlers.telling import change, healed
from yard.repo_sync.store import repositories
from yard.runtime import clock, errors
from yard.runtime.db import Transaction
from yard.runtime.egress import GitRemote

LONGEST_USERNAME = 256
LONGEST_TOKEN = 4_096


async def set_credential(
    syncing: Syncing, request: messages.SetCredentialRequest, authorization: str
) -> messages.SetCredentialResponse:
    """Sets, makes, copies or forgets what opens a repository."""
    present = await _present(syncing, authorization, request.task_id)
    values = await _credential(syncing, request, present, authorization)
    async with syncing.db.transaction() as tx:
        before = connected(await repositories.locked(tx, request.task_id), request.task_id)
        if before.url != present.url:
            raise errors.Conflict("the repository was changed at the same time")
        after = await _set(tx, before, values)
        return messages.SetCredentialResponse(repository=await shown(tx, after))


async def set_host_keys(
    syncing: Syncing, request: messages.SetHostKeysRequest, authorization: str
) -> messages.SetHostKeysResponse:
    """Sets the keys by which the ssh host is known, or forgets them."""
    present = await _present(syncing, authorization, request.task_id)
    pairs = _host_keys(request, _remote(present))
    values = {"host_keys": pairs, "are_host_keys_given": True} if pairs else NO_HOST_KEYS
    async with syncing.db.transaction() as tx:
        before = connected(await repositories.locked(tx, request.task_id), request.task_id)
        if before.url != present.url:
            raise errors.Conflict("the repository was changed at the same time")
        after = await _set(tx, before, values)
        return messages.SetHostKeysResponse(repository=await shown(tx, after))


def access_of(syncing: Syncing, repository: Repository) -> Access:
    """What opens it, unsealed; FailedPrecondition if the operator's key is another one now."""
    secret = ""
    if repository.credential is not None:
        secret = syncing.secrets.unseal(belongs_to(repository), repository.credential).decode()
    is_key = repository.credential_kind == CREDENTIAL_KIND_KEY
    return Access(
        username=repository.credential_username,
        token="" if is_key else secret,
        private_key=secret if is_key else "",
        known_hosts=repository.host_keys,
    )


async def _set(tx: Transaction, before: Repository, values: dict[str, Any]) -> Repository:
    """What had failed may succeed now, and is due again if pushes are made by themselves."""
    values = {**values, **healed(before), "updated_at": clock.now()}
    if healed(before) and before.push_id is None:
        values["due_at"] = due_at(before, before.changed_at)
        tx.wake(DUE)
    return await change(tx, before, **values)


async def _present(syncing: Syncing, authorization: str, task_id: int) -> Repository:
    owned = await changeable_task(syncing, authorization, task_id)
    await adopt(syncing, owned)
    return await repository_of(syncing, owned)


def _remote(repository: Repository) -> GitRemote:
    if not repository.url:
        raise errors.FailedPrecondition(
            "the repository has no valid location: change that first", reason="LOCATION_INVALID"
        )
    return GitRemote.parse(repository.url)


async def _credential(
    syncing: Syncing, request: messages.SetCredentialRequest, present: Repository, authorization: str
) -> dict[str, Any]:
    """The columns of what was asked for; InvalidArgument if it does not fit the repository."""
    chosen = request.WhichOneof("credential")
    if chosen is None:
        return NO_CREDENTIAL
    is_ssh = _remote(present).is_ssh
    if chosen == "copy_from_task_id":
        return await _copied(syncing, request.copy_from_task_id, present, authorization)
    if is_ssh == (chosen == "token"):
        takes = "a key: it is opened by ssh" if is_ssh else "a token: it is opened by https"
        raise errors.invalid(chosen, f"the repository takes {takes}")
    if chosen == "token":
        _check_token(request.token)
        return _sealed(syncing, present, request.token.token, username=request.token.username)
    if chosen == "generate_key" and not request.generate_key:
        raise errors.invalid("generate_key", "must be true, or absent")
    try:
        pair = keys.generate(present.task_id)
        if chosen == "private_key":
            pair = keys.read(request.private_key, present.task_id)
    except ValueError as fault:
        raise errors.invalid("private_key", str(fault)) from None
    return _sealed(syncing, present, pair.private, public_key=pair.public)


async def _copied(syncing: Syncing, task_id: int, present: Repository, authorization: str) -> dict[str, Any]:
    if task_id <= 0 or task_id == present.task_id:
        raise errors.invalid("copy_from_task_id", "must name another task")
    other = await _present(syncing, authorization, task_id)
    if other.url != present.url:
        raise errors.invalid("copy_from_task_id", f"task {task_id} has another repository")
    if other.credential is None:
        raise errors.invalid("copy_from_task_id", f"task {task_id} has no credential")
    secret = syncing.secrets.unseal(belongs_to(other), other.credential).decode()
    return _sealed(syncing, present, secret, username=other.credential_username, public_key=other.public_key)


def _sealed(
    syncing: Syncing, present: Repository, secret: str, *, username: str = "", public_key: str = ""
) -> dict[str, Any]:
    return {
        "credential_kind": CREDENTIAL_KIND_KEY if public_key else CREDENTIAL_KIND_TOKEN,
        "credential": syncing.secrets.seal(belongs_to(present), secret.encode()),
        "credential_username": username,
        "public_key": public_key,
        "credential_set_at": clock.now(),
    }


def _check_token(token: messages.Token) -> None:
    found = []
    if len(token.username) > LONGEST_USERNAME or not token.username.isprintable() or ":" in token.username:
        found.append(
            errors.Violation(
                "token.username", f"must have at most {LONGEST_USERNAME} characters to show, without a colon"
            )
        )
    if not 1 <= len(token.token) <= LONGEST_TOKEN or not token.token.isprintable():
        found.append(errors.Violation("token.token", f"must have 1 to {LONGEST_TOKEN} characters to show"))
    errors.refuse(found)


def _host_keys(request: messages.SetHostKeysRequest, remote: GitRemote) -> tuple[str, ...]:
    if request.host_keys and not remote.is_ssh:
        raise errors.invalid("host_keys", "the repository is opened by https, which has certificates")
    if len(request.host_keys) > keys.MOST_HOST_KEYS:
        raise errors.invalid("host_keys", f"must be at most {keys.MOST_HOST_KEYS}")
    pairs, found = [], []
    for number, line in enumerate(request.host_keys):
        try:
            pairs.append(keys.host_key(line, remote.host, remote.port))
        except ValueError as fault:
            found.append(errors.Violation(f"host_keys[{number}]", str(fault)))
    errors.refuse(found)
    return tuple(dict.fromkeys(pairs))
