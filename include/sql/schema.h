/*
 * The text of schema/NAME.NUMBER.sql as embedded by the build.  PRAGMA user_version of a file is the
 * number of its last migration; numbers of one name count from 1 without gaps.
 */
#ifndef SQL_SCHEMA_H
#define SQL_SCHEMA_H

struct sql_migration {
	const char *name;	/* NULL ends the table */
	int number;
	const char *text;	/* statements, without BEGIN and COMMIT */
};

/* Ordered by name and number. */
extern const struct sql_migration sql_migrations[];

#endif
