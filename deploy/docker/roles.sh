#!/bin/sh
# One role and one schema a service; no role sees another's schema.
set -eu
for service in identity task media_ingest chunking export webhook repo_sync; do
    psql -v ON_ERROR_STOP=1 -v role="$service" -v secret="$ROLE_PASSWORD" -U postgres -d frameyard <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'secret';
CREATE SCHEMA :"role" AUTHORIZATION :"role";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SQL
done
