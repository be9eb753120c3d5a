"""Every route of the gateway: one module a noun, one line a module."""

from typing import Final

from fastapi import APIRouter
from yard.gateway.routes import (
    about,
    accounts,
    annotations,
    backups,
    cloudstorages,
    comments,
    dataset_imports,
    datasets,
    imports,
    issues,
    jobs,
    labels,
    lambdas,
    media,
    organizations,
    projects,
    requests,
    schema,
    server,
    sessions,
    task_data,
    tasks,
    tokens,
    unsupported,
    users,
    validation,
    webhooks,
)
from yard.gateway.routes.own import changes, operations, repositories, revisions
from yard.gateway.routes.own import schema as own_schema

CVAT: Final[tuple[APIRouter, ...]] = (
    about.router,
    server.router,
    schema.router,
    sessions.router,
    accounts.router,
    tokens.router,
    users.router,
    tasks.router,
    task_data.router,
    media.router,
    annotations.router,
    imports.router,
    datasets.router,
    dataset_imports.router,
    backups.router,
    requests.router,
    labels.router,
    projects.router,
    jobs.router,
    validation.router,
    issues.router,
    comments.router,
    webhooks.router,
    organizations.router,
    cloudstorages.router,
    lambdas.router,
    unsupported.router,
)
"""Below /api, as CVAT's clients expect them."""

OWN: Final[tuple[APIRouter, ...]] = (
    own_schema.router,
    operations.router,
    revisions.router,
    repositories.router,
    changes.router,
)
"""Below /v1: what CVAT has no word for."""
