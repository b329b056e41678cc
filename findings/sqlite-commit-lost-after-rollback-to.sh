#!/bin/sh
# SQLite 3.40.1 says that a transaction is committed and shows it to all, and it is gone when the process dies next.
#
# In WAL mode, with synchronous=FULL: pages of a large transaction go to the WAL before the commit; once one of them
# is written there a second time, checksums are left out, to be computed at the commit from that page on.  ROLLBACK TO
# a savepoint goes back to a place before it and forgets that: what is written there next never gets a checksum.
# COMMIT succeeds, every connection reads the rows, also of an application that rolled back nothing but one step of
# its work.  After a crash the recovery ends at the first page without a checksum, and the transaction is missing.
#
# imapd keeps the pages of a step in memory until it cannot be undone any more, and refuses to write such a page
# (src/sql/gather.c, tests/unit/sql_gather.c).
#
# Needs apt and an amd64 or arm64 Debian 12.  Exits 0 while SQLite does so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download sqlite3=3.40.1-2+deb12u2 libsqlite3-0=3.40.1-2+deb12u2 >download.log 2>&1 ||
    { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
LD_LIBRARY_PATH=$(find "$work/root" -name 'libsqlite3.so.0' -exec dirname {} \;)
export LD_LIBRARY_PATH
sqlite="$work/root/usr/bin/sqlite3"

# The files are copied while the program runs, as they would be found after kill -9.
"$sqlite" mail.db <<'SQL' >committed
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = 10;
CREATE TABLE mail (id INTEGER PRIMARY KEY, body TEXT);
CREATE TABLE draft (id INTEGER PRIMARY KEY, body TEXT);
BEGIN;
INSERT INTO mail VALUES (1, 'one');
SAVEPOINT step;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
INSERT INTO draft SELECT i, hex(randomblob(1000)) FROM n;
UPDATE draft SET body = hex(randomblob(1000)) WHERE id > 50;
ROLLBACK TO step;
RELEASE step;
INSERT INTO mail VALUES (2, 'two');
COMMIT;
SELECT count(*) FROM mail;
.shell cp mail.db copy.db && cp mail.db-wal copy.db-wal
SQL
before=$(tail -1 committed)
after=$("$sqlite" copy.db 'SELECT count(*) FROM mail')
echo "sqlite3 $("$sqlite" --version | cut -d' ' -f1): committed $before rows, after a crash $after"
[ "$before" = 2 ] && [ "$after" = 0 ]
