import json
from dataclasses import replace
from uuid import UUID

import jwt
import pytest
from yard.runtime import auth, errors
from yard.runtime.auth import Grants, MediaGrant, Principal, TokenIssuer, TokenVerifier, jwks_of

ANN = Principal(user_id=7, username="ann", role="user", session="s1")
EXPORT = Principal(user_id=0, username="export", role="service", service="export")
MEDIA, OTHER = UUID(int=1), UUID(int=2)
KEYS = ("a" * 32, "b" * 32)


class Identity:
    """A key set that can change, fail, and counts who asks."""

    def __init__(self, *issuers: TokenIssuer) -> None:
        self.issuers = list(issuers)
        self.asked = 0
        self.fault: errors.YardError | None = None

    async def __call__(self) -> str:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        return jwks_of({issuer.kid: issuer.public_key for issuer in self.issuers})


READER = Principal(user_id=1, username="root", role="admin", read_only=True)


@pytest.mark.parametrize("principal", [ANN, EXPORT, READER, replace(READER, read_only=False)])
async def test_a_token_stands_for_who_it_was_issued_to(principal: Principal) -> None:
    issuer = TokenIssuer.generate()
    verified = await TokenVerifier.from_jwks(issuer.jwks).verify(issuer.issue(principal).token)
    assert verified == principal


def test_subjects_tell_people_and_services_apart() -> None:
    assert (ANN.subject, EXPORT.subject) == ("7", "service:export")
    assert EXPORT.is_service
    assert not EXPORT.is_admin


async def test_an_expired_token_is_refused_also_when_it_is_known() -> None:
    issuer = TokenIssuer.generate(ttl_s=-61)
    verifier = TokenVerifier.from_jwks(issuer.jwks)
    token = issuer.issue(ANN).token
    for _ in range(2):
        with pytest.raises(errors.Unauthenticated) as caught:
            await verifier.verify(token)
        assert caught.value.reason == "TOKEN_EXPIRED"
    # Clocks may differ by a minute.
    lenient = TokenIssuer(issuer._key, ttl_s=-30)
    assert await verifier.verify(lenient.issue(ANN).token) == ANN


def forged(issuer: TokenIssuer, **claims: object) -> str:
    """Signed with the right key."""
    everything = {"iss": "frameyard", "sub": "7", "role": "user", "exp": 4_000_000_000, **claims}
    present = {name: value for name, value in everything.items() if value is not None}
    return jwt.encode(present, issuer._key, algorithm="EdDSA", headers={"kid": issuer.kid})


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "somebody"},
        {"iss": None},
        {"exp": None},
        {"sub": None},
        {"sub": "-7"},
        {"sub": "\u0667"},
        {"sub": ""},
        {"role": "emperor"},
        {"role": None},
        {"role": "service"},
        {"sub": "service:export", "role": "admin"},
    ],
    ids=repr,
)
async def test_odd_claims_are_refused(claims: dict[str, object]) -> None:
    issuer = TokenIssuer.generate()
    verifier = TokenVerifier.from_jwks(issuer.jwks)
    assert (await verifier.verify(forged(issuer))).user_id == 7
    with pytest.raises(errors.Unauthenticated):
        await verifier.verify(forged(issuer, **claims))


async def test_other_algorithms_and_junk_are_refused() -> None:
    issuer = TokenIssuer.generate()
    verifier = TokenVerifier.from_jwks(issuer.jwks)
    claims = {"iss": "frameyard", "sub": "1", "role": "admin", "exp": 4_000_000_000}
    header = {"kid": issuer.kid}
    none = jwt.encode(claims, "", algorithm="none", headers=header)
    # The public key as the secret of a symmetric algorithm: a classic.
    symmetric = jwt.encode(claims, issuer.public_key, algorithm="HS256", headers=header)
    changed = issuer.issue(ANN).token[:-4] + "AAAA"
    for token in (none, symmetric, changed, "", "a.b.c", "x" * 10_000, issuer.issue(ANN).token + "\n"):
        with pytest.raises(errors.Unauthenticated):
            await verifier.verify(token)


async def test_new_keys_are_asked_for_once_and_not_by_every_forged_id() -> None:
    identity = Identity(TokenIssuer.generate())
    verifier = TokenVerifier(identity)
    assert await verifier.verify(identity.issuers[0].issue(ANN).token) == ANN
    assert identity.asked == 1
    for _ in range(20):
        with pytest.raises(errors.Unauthenticated):
            await verifier.verify(TokenIssuer.generate().issue(ANN).token)
    assert identity.asked == 1


async def test_without_keys_nobody_is_refused_for_good() -> None:
    identity = Identity(TokenIssuer.generate())
    identity.fault = errors.Unavailable("identity is starting")
    verifier = TokenVerifier(identity)
    token = identity.issuers[0].issue(ANN).token
    for _ in range(3):
        with pytest.raises(errors.Unavailable):
            await verifier.verify(token)
    assert identity.asked == 1
    identity.fault, verifier._next_try_at = None, float("-inf")
    assert await verifier.verify(token) == ANN


@pytest.mark.parametrize(
    "jwks", ["", "[]", "{}", '{"keys": [{"crv": "Ed25519", "kid": "a"}]}', '{"keys": [1]}']
)
async def test_a_key_set_that_is_none_is_not_taken(jwks: str) -> None:
    with pytest.raises(errors.Unavailable):
        await TokenVerifier.from_jwks(jwks).verify(TokenIssuer.generate().issue(ANN).token)


async def test_keys_of_other_kinds_are_left_out() -> None:
    issuer = TokenIssuer.generate()
    keys = [{"kty": "RSA", "kid": "r", "n": "x", "e": "AQAB"}, *json.loads(issuer.jwks)["keys"]]
    verifier = TokenVerifier.from_jwks(json.dumps({"keys": keys}))
    assert await verifier.verify(issuer.issue(ANN).token) == ANN


def test_the_caller_is_set_for_a_block() -> None:
    with pytest.raises(errors.Unauthenticated):
        auth.current()
    with auth.acting_as(ANN):
        assert auth.current() is ANN
    with pytest.raises(errors.Unauthenticated):
        auth.current()


GRANT = MediaGrant(media_id=MEDIA, first=10, last=19, user_id=7)


def test_a_grant_comes_back_as_it_was_signed() -> None:
    assert Grants(KEYS).verify(Grants(KEYS).sign(GRANT)) == GRANT


@pytest.mark.parametrize(
    ("media", "first", "last", "is_covered"),
    [
        (MEDIA, 10, 19, True),
        (MEDIA, 12, 12, True),
        (MEDIA, 9, 12, False),
        (MEDIA, 12, 20, False),
        (MEDIA, 15, 12, False),
        (OTHER, 12, 12, False),
    ],
)
def test_a_grant_covers_its_frames_only(media: UUID, first: int, last: int, is_covered: bool) -> None:
    assert GRANT.covers(media, first, last) is is_covered


def test_keys_of_grants_can_be_changed_over() -> None:
    old, both = Grants(KEYS[:1]), Grants((KEYS[1], KEYS[0]))
    assert both.verify(old.sign(GRANT)) == GRANT
    with pytest.raises(errors.PermissionDenied):
        old.verify(both.sign(GRANT))


def test_what_is_no_grant_is_refused() -> None:
    grants = Grants(KEYS)
    expired = grants.sign(GRANT, ttl_s=-61)
    issuer = TokenIssuer.generate()
    head, body, signature = grants.sign(GRANT).split(".")
    none = jwt.encode({"aud": "frameyard-media"}, "", algorithm="none", headers={"kid": "x"})
    wide = grants.sign(MediaGrant(media_id=MEDIA, first=0, last=99, user_id=7)).split(".")[1]
    swapped = f"{head}.{wide}.{signature}"
    for token in (expired, issuer.issue(ANN).token, none, swapped, "", "x", "x" * 3_000, body):
        with pytest.raises(errors.PermissionDenied) as caught:
            grants.verify(token)
        assert caught.value.reason == "GRANT_INVALID"


def test_grants_need_long_keys_and_some_key() -> None:
    with pytest.raises(ValueError, match="32 characters"):
        Grants(("short",))
    with pytest.raises(errors.FailedPrecondition):
        Grants(()).sign(GRANT)
