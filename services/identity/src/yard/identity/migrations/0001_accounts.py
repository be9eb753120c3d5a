"""Accounts, sessions, personal access tokens, failed logins and signing keys."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create all tables of the service."""
    for statement in (_APP_USER, _SESSION, _ACCESS, _LOGIN_FAILURE, _SIGNING_KEY):
        op.execute(statement)


# username_key is the case-folded name, by code points: unique, sorted and searched by prefix in one index.
_APP_USER = """
CREATE TABLE app_user (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username text NOT NULL,
    username_key text COLLATE "C" NOT NULL UNIQUE,
    first_name text NOT NULL,
    last_name text NOT NULL,
    email text NOT NULL,
    role text NOT NULL CHECK (role IN ('admin', 'user', 'worker')),
    is_active boolean NOT NULL DEFAULT true,
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX app_user_admin ON app_user (id) WHERE role = 'admin' AND is_active;
"""

# Used refresh tokens stay until their session goes, so that a second use is recognised as a theft.
_SESSION = """
CREATE TABLE session (
    id uuid PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX session_user_id ON session (user_id);
CREATE INDEX session_expires_at ON session (expires_at);
CREATE TABLE refresh_token (
    sha256 bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    is_used boolean NOT NULL DEFAULT false
);
CREATE INDEX refresh_token_session_id ON refresh_token (session_id);
"""

_ACCESS = """
CREATE TABLE access_token (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    name text NOT NULL,
    sha256 bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    used_at timestamptz
);
CREATE INDEX access_token_user_id ON access_token (user_id, id);
"""

_LOGIN_FAILURE = """
CREATE TABLE login_failure (
    username_key text COLLATE "C" NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX login_failure_username_key ON login_failure (username_key, failed_at);
CREATE INDEX login_failure_failed_at ON login_failure (failed_at);
"""

_SIGNING_KEY = """
CREATE TABLE signing_key (
    kid text PRIMARY KEY,
    public_key bytea NOT NULL,
    encrypted_private_key bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz
);
"""
