/*
 * Who exists, what proves it, and where the mail lives.  Back ends stand behind one interface: a SQLite
 * file, LDAP servers, and the mailbox server at the other end of the link.  Names are prepared by directory_prepare_name() before they come here.  A
 * directory belongs to one worker at a time (a queue of jobs), except that any number of workers may be
 * in directory_verify(); no door may be used on the loop thread, except those said to be for any thread.
 */
#ifndef DIRECTORY_DIRECTORY_H
#define DIRECTORY_DIRECTORY_H

#include "base/arena.h"
#include "base/span.h"

struct directory;

enum directory_status {
	DIRECTORY_OK,
	DIRECTORY_NOT_FOUND,	/* no such user */
	DIRECTORY_EXISTS,	/* there is such a user already */
	DIRECTORY_UNAVAILABLE,	/* try again: the disk is full, busy or failing; the back end is down */
	DIRECTORY_CORRUPT,	/* the operator is needed: damaged, unreadable, or of a later version */
	DIRECTORY_READ_ONLY,	/* users are kept elsewhere, and changed there */
	DIRECTORY_ELSEWHERE,	/* the user's mail is on another server, so there is no mailbox id here */
	DIRECTORY_AMBIGUOUS,	/* the operator is needed: several may be meant by the name */
	DIRECTORY_SHARED,	/* nobody logs in to a shared account, so there is nothing to prove */
	DIRECTORY_BUSY,		/* try again: the user is being renamed, directory/renaming.h */
	DIRECTORY_STATUS_COUNT
};

/*
 * Whether a file of a data directory is of a later version of this program.  Looks at its head alone; any thread but the
 * loop's.
 *
 *	kind	"directory" for directory.db, "mail" for a user's file
 */
bool directory_file_is_too_new(const char *path, const char *kind);

/* A few words for the log and for imapctl.  Static. */
const char *directory_status_text(enum directory_status status);

#define DIRECTORY_NAME_MAX	255	/* octets of a name, without NUL */
#define DIRECTORY_ID_LENGTH	32	/* hexadecimal digits of a mailbox id, without NUL */

struct directory_name {
	char text[DIRECTORY_NAME_MAX + 1];
	size_t length;
};

/*
 * Prepare a user's name, "user" or "user@domain", for looking it up: ASCII letters become lower-case,
 * all else stays.  False: empty, too long, not UTF-8, or with white space, a control character or a
 * noncharacter in it, or what means others where rights are given (anyone, authenticated, $group, -name); nobody has such
 * a name.  Any thread.
 */
bool directory_prepare_name(struct span name, struct directory_name *name_out);

/*
 * The same for a name that somebody is to get: one that ends with "@" lacks its domain, and no mail would ever come to it.
 * Any thread.
 */
bool directory_prepare_new_name(struct span name, struct directory_name *name_out);

/* Prepare a group's name, likewise; spaces may stand within it.  Any thread. */
bool directory_prepare_group(struct span name, struct directory_name *name_out);

static inline struct span
directory_name_span(const struct directory_name *name)
{
	return span_of(name->text, name->length);
}

/* What a user may keep instead of what the configuration says. */
enum directory_resource {
	DIRECTORY_STORAGE,		/* octets */
	DIRECTORY_MESSAGES,
	DIRECTORY_MAILBOXES,
	DIRECTORY_RESOURCE_COUNT
};

#define DIRECTORY_NO_LIMIT (-1)

struct directory_quota {
	int64_t of[DIRECTORY_RESOURCE_COUNT];	/* 0: as configured; or a limit, or DIRECTORY_NO_LIMIT */
};

/*
 * Read the limit of a resource as an operator writes it: "default", "none", or a number, of storage with K, M, G or T
 * behind it for units of 1,024; 0 is none.  False: it is not one.  Any thread.
 */
bool directory_read_limit(struct span text, enum directory_resource resource, int64_t *limit_out);

/*
 * Read one value of an attribute with a quota into what it speaks of, as sites have it: a number of octets, also with K,
 * M, G or T; "100000000S,1000C" of Maildir++; "*:storage=1G:messages=1000" of Dovecot, where storage is in units of
 * 1,024 octets.  0 and -1 are no limit, -2 is as configured; what Dovecot's rule says of one mailbox is passed over.
 *
 *	unit	octets that a number without a unit counts: 1, or 1024
 *
 * False: it is not understood, and nothing was changed.  Any thread.
 */
bool directory_read_quota(struct span value, uint64_t unit, struct directory_quota *quota);

/* One user; the spans live in the arena they were asked into. */
struct directory_user {
	struct span name;
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];	/* names the data folder; random, never reused */
	struct span credential;		/* auth/password.h, or for directory_verify(); empty: no password fits */
	uint64_t credential_version;	/* another one after each change of the credential */
	struct span home;		/* name of the mailbox server; empty: this host; or directory_home_is_foreign() */
	struct span entry;		/* in LDAP: what the entry is known by, whatever its names are; else empty */
	bool is_enabled;		/* a disabled user gets mail and cannot log in */
	bool is_shared;			/* no user, but an account whose mailboxes users share: gets mail, no login */
	bool is_master;			/* may log in as any user who may not; in the SQLite file alone */
	const struct span *delegates;	/* who may log in as this one, as the entry has it; in LDAP alone */
	size_t delegate_count;
	const struct span *aliases;	/* to be given back, see directory_restore(); else none */
	size_t alias_count;
	struct directory_quota quota;
	const struct span *groups;	/* by directory_find_groups(): prepared, in the order of their octets */
	size_t group_count;
	int64_t created_s;		/* since 1970-01-01 UTC; 0: not known here */
	int64_t changed_s;		/* likewise; the last change of credential, home or is_enabled */
};

/*
 * Whether a home is that of a server of another kind, imap://HOST or imaps://HOST in any case: the user is to move here
 * some day, and may have a mailbox id already.  Any thread.
 */
bool directory_home_is_foreign(struct span home);

/*
 * Open the directory kept in a SQLite file; makes it when it is missing.
 *
 *	directory_out	given to the caller, to directory_close(); untouched on failure
 */
enum directory_status directory_open_sqlite(const char *path, struct directory **directory_out);

/*
 * Open the directory of a host that has none: every name may be somebody, and lives on the mailbox server that is
 * named; that server alone can tell.  Nothing can be listed or changed here: DIRECTORY_READ_ONLY.  Gives.
 */
struct directory *directory_open_link(struct span server);

/* Whether this program was built with LDAP.  Any thread. */
bool directory_has_ldap(void);

/* What the LDAP back end needs to know; all texts are copied. */
struct directory_ldap_settings {
	const char *const *uris;	/* ldap, ldaps or ldapi; the first that answers is asked */
	size_t uri_count;		/* at least 1 */
	const char *base, *filter;	/* %u the name, %n and %d its parts around the @, %% a percent sign */
	const char *user_attribute;	/* of an entry: the one name that all its other names stand for */
	const char *home_attribute;	/* of an entry: name of the mailbox server; NULL: all live here */
	const char *delegate_attribute;	/* of an entry: who may act as it, as names or distinguished names; NULL: nobody */
	const char *master_group;	/* whose members may act as all others; prepared; NULL: there is none */
	const char *group_attribute;	/* of an entry: its groups, as names or as distinguished names; NULL: none */
	const char *group_base, *group_filter;	/* find the entries of its groups, %D its distinguished name; NULL: none */
	const char *quota_attribute;	/* of an entry: directory_read_quota(); NULL: none */
	unsigned quota_unit;		/* for it */
	const char *server_name;	/* the home that is this host */
	const char *bind_dn;		/* who searches; NULL: anonymous */
	const char *password_file;	/* of bind_dn, up to the line end */
	const char *tls_ca;		/* authorities in PEM; NULL: those of ldap.conf(5) */
	bool is_starttls;		/* ldap URIs must become TLS before anything is said */
	unsigned timeout_s;		/* for an answer */
	unsigned retry_s;		/* for how long a server that failed is left alone */
	unsigned cache_s;		/* for how long a known user is known while no server answers */
	const char *local_path;		/* directory.db, where the mailbox ids are; NULL: there is none */
	bool gives_mailboxes;		/* for the mailbox role: users get ids, and must live on this host */
};

/*
 * Open the directory kept in LDAP servers.  They need not run: none is asked yet.
 *
 *	directory_out	given to the caller, to directory_close(); untouched on failure
 *
 * With gives_mailboxes a user of this host gets a row in local_path, with a new mailbox id, when first
 * looked up; it belongs to the entry, by whatever name that is found, and to no other entry that has the name
 * later (DIRECTORY_AMBIGUOUS).  The mail of another host's user is DIRECTORY_ELSEWHERE, unless the home is foreign.  Without, mailbox_id
 * stays empty.  Listing, counting, deleting and releasing mean these rows; what would change a user in LDAP is
 * DIRECTORY_READ_ONLY.  A shared account is a row without an entry: an
 * entry that has its name is DIRECTORY_AMBIGUOUS.
 *
 * DIRECTORY_CORRUPT: the password file cannot be used, or the file at local_path.  DIRECTORY_UNAVAILABLE:
 * as for directory_open_sqlite(), or built without LDAP.
 */
enum directory_status directory_open_ldap(const struct directory_ldap_settings *settings,
    struct directory **directory_out);

/* Accepts NULL, leaves NULL behind. */
void directory_close(struct directory **directory);

/*
 * Find a user.  user_out is untouched on failure; its name may be another than the one asked for, when
 * a user has several, and is the one to go on with.
 */
enum directory_status directory_lookup(struct directory *directory, struct span name,
    struct arena *arena, struct directory_user *user_out);

/*
 * What a client says who it is.
 *
 *	name		"user"; "principal*master" with the separator; or, as Exchange Server has it (MS-OXIMAP4 section
 *			2.2.2), "delegate/principal" or "domain/delegate/principal"
 *	identity	as whom it wants to act; empty: as name says.  RFC 4422 section 3.4.1
 *	separator	between principal and master; 0: there is no such form
 *	is_proved	the name is what a certificate or a token has proved: it is one user, and is not taken apart
 *
 * Borrowed.
 */
struct directory_claim {
	struct span name, identity;
	uint8_t separator;
	bool is_proved;
};

/* Who that is. */
struct directory_login {
	struct directory_user prover;		/* who has to prove it; no name: nobody */
	struct directory_user principal;	/* whose mail it is; no name: nobody's */
	bool is_other;				/* the principal is meant to be somebody else */
	bool is_permitted;			/* or is the prover */
	bool is_master;				/* permitted as a master, who gets in where logins are disabled, too */
};

/*
 * All that is looked up in between is as it was at one moment, and takes the locks of the file once.  Nothing may be changed
 * meanwhile.  Whatever fails here, looking up tells of it.
 */
void directory_begin_reading(struct directory *directory);
void directory_end_reading(struct directory *directory);

/*
 * Look up who wants to log in, and whether that one may act as somebody else.  A user of the whole name comes before
 * what its parts may mean.  The questions asked depend on the form of the name alone, not on who exists.  Who may not
 * log in is nobody.  The spans live in the arena; login_out is untouched on failure.
 */
enum directory_status directory_find_login(struct directory *directory, const struct directory_claim *claim,
    struct arena *arena, struct directory_login *login_out);

/* The part of the name that is to be proved, for counting failures; not prepared.  Any thread. */
struct span directory_claim_prover(const struct directory_claim *claim);

/* All the users that the name may mean, by itself or taken apart, prepared.  Any thread. */
#define DIRECTORY_CLAIM_NAMES 5
size_t directory_claim_names(const struct directory_claim *claim, struct directory_name names_out[DIRECTORY_CLAIM_NAMES]);

/*
 * Find the groups of a user who was looked up; they go into the arena.  In LDAP that may be another search.  On failure
 * the user is as before.
 */
enum directory_status directory_find_groups(struct directory *directory, struct arena *arena,
    struct directory_user *user);

/*
 * Whether passwords are proved by directory_verify() alone: the credentials are of no use to
 * password_verify() and SCRAM.  Any thread.
 */
bool directory_is_verifier(const struct directory *directory);

/*
 * Whether passwords are proved by the mailbox server that is the user's home, when the session is opened there:
 * credentials say nothing.  Any thread.
 */
bool directory_asks_home(const struct directory *directory);

/*
 * Have a password proved by a directory that is a verifier.
 *
 *	credential	of the user as looked up; empty, for a user who does not exist: fits nothing, and
 *			costs as much
 *	password	empty, above DIRECTORY_PASSWORD_MAX octets or with NUL in it: fits nothing
 *	is_match_out	untouched on failure
 *
 * Never DIRECTORY_NOT_FOUND.  Any worker, any number at a time; waits for the network.
 */
#define DIRECTORY_PASSWORD_MAX 1024
enum directory_status directory_verify(struct directory *directory, struct span credential,
    struct span password, bool *is_match_out);

/* Add an enabled user with a new mailbox id, and home on this host.  DIRECTORY_EXISTS: nothing changed. */
enum directory_status directory_add(struct directory *directory, struct span name,
    struct span credential);

/* A user whom another program knows, on the way in; what was not said stays as it is, or as with directory_add(). */
struct directory_newcomer {
	struct span name;		/* prepared */
	struct span credential, home;
	bool has_credential, has_home, has_enabled, is_enabled;
	struct directory_quota quota;	/* 0: not said */
	enum directory_arrival {
		DIRECTORY_ADDED,
		DIRECTORY_UPDATED,
		DIRECTORY_IS_ALIAS,	/* another name of somebody */
		DIRECTORY_WAS_THERE	/* and stays as it was: as it was said, not to be changed, or a shared account */
	} outcome;			/* filled */
};

/*
 * Add many users in one transaction: all or nothing.
 *
 *	flags	DIRECTORY_IMPORT_UPDATES: who is there gets what was said; DIRECTORY_IMPORT_TRIAL: nothing is kept, the
 *		outcomes are those that it would have had
 */
#define DIRECTORY_IMPORT_UPDATES 1u
#define DIRECTORY_IMPORT_TRIAL	 2u
enum directory_status directory_import(struct directory *directory, struct directory_newcomer *newcomers, size_t count,
    unsigned flags);

/*
 * Add an account whose mailboxes users share, with a new mailbox id, on this host.  DIRECTORY_EXISTS: nothing changed;
 * there is a user or an account of this name.
 */
enum directory_status directory_add_shared(struct directory *directory, struct span name);

/*
 * Add a user, or a shared account, as a backup has them: name, credential, home, is_enabled, is_shared, is_master, quota,
 * created_s, groups, those of the delegates who exist, those of the aliases that nobody has, and mailbox_id count,
 * borrowed.  An empty mailbox id is drawn; one that a deleted user had is taken back.
 *
 * DIRECTORY_EXISTS: somebody has the name, also as an alias, or the mailbox id; nothing changed.
 */
enum directory_status directory_restore(struct directory *directory, const struct directory_user *user);

/* Replace the credential; its version changes.  DIRECTORY_SHARED. */
enum directory_status directory_set_credential(struct directory *directory, struct span name,
    struct span credential);

/* Permit or refuse logins. */
enum directory_status directory_set_enabled(struct directory *directory, struct span name,
    bool is_enabled);

/* Say where the mail lives, as in struct directory_user.  No mail is moved. */
enum directory_status directory_set_home(struct directory *directory, struct span name,
    struct span home);

/* Set the limit of a resource, as in struct directory_quota. */
enum directory_status directory_set_limit(struct directory *directory, struct span name,
    enum directory_resource resource, int64_t limit);

/* Let a user's mailbox be that of the next entry in LDAP that has the name, and of no other one before. */
enum directory_status directory_release(struct directory *directory, struct span name);

/* Make a user a member of a group, or not.  DIRECTORY_NOT_FOUND: no such user; to leave: or no member. */
enum directory_status directory_join(struct directory *directory, struct span group, struct span name);
enum directory_status directory_leave(struct directory *directory, struct span group, struct span name);

/* A user in a group; the spans live in the arena asked into. */
struct directory_member {
	struct span group, name;
};

/*
 * List the groups and who is in them, in the order of groups and names, a page at a time, as directory_list().
 *
 *	after	the last member of the page before; empty spans at first
 */
enum directory_status directory_list_members(struct directory *directory, const struct directory_member *after,
    struct arena *arena, struct directory_member *members_out, size_t limit, size_t *count_out);

/* Let a user log in as any other who may not, or not any more. */
enum directory_status directory_set_master(struct directory *directory, struct span name, bool is_master);

/*
 * Let a user, the delegate, log in as another or as a shared account, the principal, or not any more.
 * DIRECTORY_NOT_FOUND: one of them does not exist; or there is nothing to take back.
 */
enum directory_status directory_allow(struct directory *directory, struct span principal, struct span delegate,
    bool is_allowed);

/* List the delegates of a principal in the order of their names, all of them; the spans live in the arena. */
enum directory_status directory_list_delegates(struct directory *directory, const struct directory_user *principal,
    struct arena *arena, struct span **names_out, size_t *count_out);

/* Another name of a user or shared account; the spans live in the arena asked into. */
struct directory_alias {
	struct span alias, name;
};

/*
 * Prepare an alias: as a user's name, or "@" and a domain, which stands for all names of the domain that nobody has.  Any
 * thread.
 */
bool directory_prepare_alias(struct span alias, struct directory_name *name_out);

/*
 * Find whose other name this is; as directory_lookup().  A user has no name that is another's alias.
 */
enum directory_status directory_lookup_alias(struct directory *directory, struct span alias, struct arena *arena,
    struct directory_user *user_out);

/* Give a user another name.  DIRECTORY_EXISTS: a user has it, or it is somebody else's. */
enum directory_status directory_add_alias(struct directory *directory, struct span alias, struct span name);

/* An alias on its way in. */
struct directory_new_alias {
	struct span alias, name;	/* prepared */
	enum directory_alias_outcome {
		DIRECTORY_ALIAS_ADDED,
		DIRECTORY_ALIAS_UPDATED,	/* it was somebody else's */
		DIRECTORY_ALIAS_WAS_THERE,
		DIRECTORY_ALIAS_TAKEN,		/* a user has this name; or it is somebody else's, and stays so */
		DIRECTORY_ALIAS_OF_NOBODY	/* there is no such user */
	} outcome;			/* filled */
};

/*
 * Give users many other names in one transaction: all that can be had.
 *
 *	flags	DIRECTORY_IMPORT_UPDATES: what is somebody else's becomes this user's; DIRECTORY_IMPORT_TRIAL, as for
 *		directory_import()
 */
enum directory_status directory_import_aliases(struct directory *directory, struct directory_new_alias *aliases, size_t count,
    unsigned flags);

/* Take it back.  DIRECTORY_NOT_FOUND: there is none. */
enum directory_status directory_remove_alias(struct directory *directory, struct span alias);

/*
 * List aliases in the order of their octets, a page at a time, as directory_list().
 *
 *	after	the last alias of the page before; empty at first
 *	name	of the user whose they are; empty: of all
 */
enum directory_status directory_list_aliases(struct directory *directory, struct span after, struct span name,
    struct arena *arena, struct directory_alias *aliases_out, size_t limit, size_t *count_out);

/*
 * Forget a user, and the user's aliases.  The mail stays in its folder, and the folder's id is never given again.
 * DIRECTORY_BUSY.
 */
enum directory_status directory_delete(struct directory *directory, struct span name);

/*
 * List users in the order of their octets, a page at a time.
 *
 *	after		the last name of the page before; empty at first
 *	users_out	room for limit users, which is at least 1
 *	count_out	how many were written; fewer than limit: there are no more
 */
enum directory_status directory_list(struct directory *directory, struct span after,
    struct arena *arena, struct directory_user *users_out, size_t limit, size_t *count_out);

/* As directory_list(), of those alone for whom something else than the configuration says is known to hold. */
enum directory_status directory_list_limited(struct directory *directory, struct span after,
    struct arena *arena, struct directory_user *users_out, size_t limit, size_t *count_out);

/* A user who was deleted, and whose folder may still be there; the span lives in the arena asked into. */
struct directory_retired {
	struct span name;
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];
	int64_t deleted_s;		/* since 1970-01-01 UTC */
};

/*
 * List the deleted users, in the order of their mailbox ids, a page at a time, as directory_list().
 *
 *	after	the last mailbox id of the page before; empty at first
 */
enum directory_status directory_list_retired(struct directory *directory, struct span after, struct arena *arena,
    struct directory_retired *retired_out, size_t limit, size_t *count_out);

enum directory_status directory_count(struct directory *directory, uint64_t *count_out);

/* A user some of whose mailboxes give an identifier (store/acl.h) rights. */
struct directory_share {
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];
	struct span name, identifier;	/* in the arena asked into */
	bool is_shared;			/* no user, but a shared account */
};

/* List all that there are, of users of this host. */
enum directory_status directory_share_list(struct directory *directory, struct arena *arena,
    struct directory_share **shares_out, size_t *count_out);

/* Note that there is such a right, or none any more; fine when nothing changes. */
enum directory_status directory_share_set(struct directory *directory, const char *mailbox_id, struct span identifier,
    bool is_shared);

#endif
