#!/bin/sh
# Run once by the database container: the application's own role, beside the owner that migrates.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set owner_password="$OWNER_PASSWORD" --set application_password="$APPLICATION_PASSWORD" <<'SQL'
CREATE ROLE loyalty_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE loyalty_app LOGIN PASSWORD :'application_password';
CREATE DATABASE loyalty OWNER loyalty_owner;
SQL
