"""Accounts as messages and events carry them."""

from frameyard.identity.v1 import user_pb2
from yard.identity.domain import Role, User

ROLES: dict[Role, "user_pb2.Role.ValueType"] = {
    "admin": user_pb2.ROLE_ADMIN,
    "user": user_pb2.ROLE_USER,
    "worker": user_pb2.ROLE_WORKER,
}


def public_user(user: User) -> user_pb2.User:
    """The account without its e-mail address: for events and for other people."""
    message = user_to_proto(user)
    message.ClearField("email")
    return message


def user_to_proto(user: User) -> user_pb2.User:
    """The whole account: for itself and for administrators."""
    message = user_pb2.User(
        id=user.id,
        username=user.username,
        first_name=user.first_name,
        last_name=user.last_name,
        email=user.email,
        role=ROLES[user.role],
        is_active=user.is_active,
    )
    message.create_time.FromDatetime(user.created_at)
    return message
