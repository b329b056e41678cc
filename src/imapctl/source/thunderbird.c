/*
 * Folders of Thunderbird.  An account is a folder with an mbox for each mailbox, Work, and beside it Work.msf, in
 * which flags and tags are, and Work.sbd, in which those below it are.  A profile has accounts in Mail and ImapMail;
 * what is in the latter are copies of messages on a server.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "contents.h"
#include "folder_name.h"
#include "folder_tree.h"
#include "imap/mailbox_name.h"
#include "maildir_tree.h"
#include "mbox.h"
#include "msf.h"
#include "several.h"
#include "source.h"
#include "thunderbird_names.h"

#define ACCOUNTS_MAX 100
#define ACCOUNT_DEPTH 4		/* from where profiles lie to an account */
#define FOLDER_DEPTH 100

/* A folder that was found, as what lies below it needs it. */
struct place {
	const char *directory;	/* where its files are */
	struct buffer name;	/* UTF-8, of the mailbox */
	struct buffer online;	/* the whole name on the server */
	size_t depth;		/* 0: the account */
};

struct account {
	struct thunderbird_names names;
	struct several *several;
	unsigned roles;		/* mailboxes with a use that there are already, by their place in the table */
};

static bool
ends_with(const char *name, const char *ending)
{
	size_t length = strlen(name), end = strlen(ending);

	return length > end && strcmp(name + length - end, ending) == 0;
}

/* What is called so in a folder; false: nothing is. */
static bool
find(const char *directory, struct span name, const char *ending, struct stat *facts_out)
{
	struct buffer path = { 0 };
	bool is_there;

	buffer_printf(&path, "%s/%.*s%s", directory, SPAN_ARGS(name), ending);
	is_there = lstat(buffer_string(&path), facts_out) == 0;
	buffer_free(&path);
	return is_there;
}

/* The last part of what an IMAP server calls a folder: what it calls the one above it is taken off. */
static void
add_online_level(struct buffer *out, struct span online, struct span above)
{
	bool is_below = above.length > 0 && online.length > above.length + 1 && span_starts_with(online, above);
	struct span level = is_below ? span_from(online, above.length + 1) : online;

	if (!imap_utf7_decode(level, out))
		buffer_add_span(out, level);
}

/* The mailbox with a use that a folder of the account is, the first of each; otherwise its own name. */
static void
add_top_level(struct account *account, uint32_t flags, struct span level, struct buffer *name)
{
	static const struct {
		uint32_t flag;
		struct span own;	/* what Thunderbird itself calls it */
		struct span mailbox;
	} roles[] = { { MSF_INBOX, SPAN("Inbox"), SPAN("INBOX") }, { MSF_DRAFTS, SPAN("Drafts"), SPAN("Drafts") },
		{ MSF_SENT, SPAN("Sent"), SPAN("Sent") }, { MSF_TRASH, SPAN("Trash"), SPAN("Trash") },
		{ MSF_JUNK, SPAN("Junk"), SPAN("Junk") }, { MSF_ARCHIVE, SPAN("Archives"), SPAN("Archive") },
		{ MSF_TEMPLATES, SPAN("Templates"), SPAN("Templates") } };

	for (size_t i = 0; i < COUNT_OF(roles); i++) {
		if (((flags & roles[i].flag) == 0 && !span_equals_nocase(level, roles[i].own)) ||
		    (account->roles & 1U << i) != 0)
			continue;
		account->roles |= 1U << i;
		level = roles[i].mailbox;
		break;
	}
	folder_name_add_text(name, level);
}

/*
 * What a folder is called: by its server; by the profile, or its own file, where its mbox was given another name; or
 * as that.
 */
static void
resolve(struct account *account, const struct place *above, struct span entry, struct place *place)
{
	struct buffer path = { 0 }, level = { 0 };
	struct msf_folder facts = { 0 };
	struct span known;

	buffer_printf(&path, "%s/%.*s", above->directory, SPAN_ARGS(entry));
	known = thunderbird_name_of(account->names.folders, buffer_span(&path));
	buffer_add_string(&path, ".msf");
	msf_read_folder(buffer_string(&path), &facts);
	if (facts.online.length > 0)
		add_online_level(&level, buffer_span(&facts.online), buffer_span(&above->online));
	else
		buffer_add_span(&level, known.length > 0 ? known : facts.name.length > 0 ? buffer_span(&facts.name) : entry);
	buffer_add_span(&place->name, buffer_span(&above->name));
	if (above->depth == 0)
		add_top_level(account, facts.flags, buffer_span(&level), &place->name);
	else
		folder_name_add_text(&place->name, buffer_span(&level));
	buffer_add_span(&place->online, buffer_span(&facts.online));
	place->depth = above->depth + 1;
	msf_folder_free(&facts);
	buffer_free(&level);
	buffer_free(&path);
}

/* What lies in an account beside mail; a folder of the user may be called so, and then has its .msf. */
static bool
is_litter(const char *entry)
{
	static const char *const endings[] = { ".dat", ".html", ".json", ".sqlite", ".sqlite-wal", ".sqlite-shm", ".txt",
		".js", ".mab", ".bak", ".cmeta", ".ibex.index", ".ibex.index.data" };

	for (size_t i = 0; i < COUNT_OF(endings); i++) {
		if (ends_with(entry, endings[i]))
			return true;
	}
	return entry[0] == '.' || ends_with(entry, ".msf") || ends_with(entry, ".mozmsgs");
}

/*
 * How a file or folder is read.  False: it is no mailbox.
 *
 *	open_out  NULL: there are no messages in it
 */
static bool
is_mailbox(struct account *account, const char *directory, const char *entry, several_opener **open_out)
{
	struct buffer path = { 0 };
	struct stat facts;
	const char *why = NULL;
	enum contents contents = CONTENTS_OTHER;
	bool has_msf = find(directory, span_from_string(entry), ".msf", &facts);

	*open_out = NULL;
	if ((!has_msf && is_litter(entry)) || !find(directory, span_from_string(entry), "", &facts))
		return false;
	buffer_printf(&path, "%s/%s", directory, entry);
	if (S_ISDIR(facts.st_mode) && maildir_is_one(buffer_string(&path))) {
		*open_out = thunderbird_maildir_open;
		contents = CONTENTS_MANY;
	} else if (S_ISREG(facts.st_mode)) {
		contents = contents_of(buffer_string(&path), open_out, &why);
		if (contents == CONTENTS_OTHER || contents == CONTENTS_MESSAGE)
			several_leave_out(account->several, buffer_string(&path), "a file that is no folder of Thunderbird");
	}
	buffer_free(&path);
	return contents == CONTENTS_NOTHING || contents == CONTENTS_MANY || contents == CONTENTS_TAKEOUT;
}

/* What has no file of its own here: a search, or a folder that was never fetched from its server. */
static void
note_absent(struct account *account, const struct place *above, const char *entry)
{
	struct msf_folder folder = { 0 };
	struct buffer path = { 0 };
	struct stat facts;

	if (!ends_with(entry, ".msf") || find(above->directory, span_of(entry, strlen(entry) - 4), "", &facts))
		return;
	buffer_printf(&path, "%s/%s", above->directory, entry);
	if (msf_read_folder(buffer_string(&path), &folder) && folder.online.length > 0)
		several_leave_out(account->several, buffer_string(&path), "a folder whose messages are on its server alone");
	msf_folder_free(&folder);
	buffer_free(&path);
}

static void scan(struct account *account, const struct place *place);

/* Go on with what is below a folder. */
static void
scan_below(struct account *account, const char *directory, struct span entry, struct place *place)
{
	struct buffer path = { 0 };

	buffer_printf(&path, "%s/%.*s.sbd", directory, SPAN_ARGS(entry));
	place->directory = buffer_string(&path);
	if (place->depth < FOLDER_DEPTH)
		scan(account, place);
	buffer_free(&path);
}

static void
on_entry(struct account *account, const struct place *above, const char *entry)
{
	struct span name = span_of(entry, strlen(entry) - (ends_with(entry, ".sbd") ? 4 : 0));
	bool is_below = name.length < strlen(entry), is_box;
	struct place place = { 0 };
	struct buffer path = { 0 };
	several_opener *open;
	struct stat facts;

	note_absent(account, above, entry);
	is_box = !is_below && is_mailbox(account, above->directory, entry, &open);
	if (!is_box && (!is_below || find(above->directory, name, "", &facts)))
		return;		/* what is below a folder comes with that */
	resolve(account, above, name, &place);
	buffer_printf(&path, "%s/%s", above->directory, entry);
	if (is_box)
		several_add(account->several, buffer_string(&path), buffer_span(&place.name), open);
	if (find(above->directory, name, ".sbd", &facts) && S_ISDIR(facts.st_mode))
		scan_below(account, above->directory, name, &place);
	buffer_free(&path);
	buffer_free(&place.name);
	buffer_free(&place.online);
}

static void
scan(struct account *account, const struct place *place)
{
	struct dirent **entries;
	int count = scandir(place->directory, &entries, NULL, alphasort);

	if (count < 0)
		several_fail(account->several, place->directory, errno);
	for (int i = 0; i < count; i++) {
		if (entries[i]->d_name[0] != '.')
			on_entry(account, place, entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

/* Is there anything in an account that may be mail? */
static bool
has_mail(const char *directory, size_t depth)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, NULL, NULL);
	bool has_some = false;

	for (int i = 0; i < count; i++) {
		const char *entry = entries[i]->d_name;
		struct buffer path = { 0 };
		struct stat facts;

		buffer_printf(&path, "%s/%s", directory, entry);
		if (entry[0] == '.' || lstat(buffer_string(&path), &facts) != 0)
			facts.st_mode = 0;
		if (S_ISREG(facts.st_mode))
			has_some |= facts.st_size > 0 && !is_litter(entry);
		else if (S_ISDIR(facts.st_mode))
			has_some |= maildir_is_one(buffer_string(&path)) ||
			    (ends_with(entry, ".sbd") && depth < FOLDER_DEPTH && has_mail(buffer_string(&path), depth + 1));
		buffer_free(&path);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return has_some;
}

/* Accounts that were found. */
struct accounts {
	char *paths[ACCOUNTS_MAX];
	size_t count;
	size_t empty;		/* others, without any mail */
	bool is_evolutions;	/* whose mbox files lie as Thunderbird's do */
};

/* "Inbox.msf" beside an mbox or a maildir, or "Inbox.sbd"; "imap.example.org.msf" is beside an account. */
static bool
is_of_account(const char *directory, const char *entry)
{
	struct buffer path = { 0 };
	struct stat facts;
	bool is_one = ends_with(entry, ".sbd");

	if (ends_with(entry, ".msf")) {
		buffer_printf(&path, "%s/%.*s", directory, (int)strlen(entry) - 4, entry);
		is_one = stat(buffer_string(&path), &facts) != 0 || !S_ISDIR(facts.st_mode) ||
		    maildir_is_one(buffer_string(&path));
		buffer_free(&path);
	}
	return is_one;
}

static bool
is_account(const char *directory, struct dirent **entries, int count)
{
	for (int i = 0; i < count; i++) {
		if (is_of_account(directory, entries[i]->d_name))
			return true;
	}
	return false;
}

/* Does a folder on the way to accounts lead there? */
static bool
leads_on(const char *directory, const char *entry, size_t depth)
{
	const char *slash = strrchr(directory, '/'), *name = slash == NULL ? directory : slash + 1;
	struct buffer path = { 0 };
	struct stat facts;
	bool is_profile;

	buffer_printf(&path, "%s/%s", directory, entry);
	is_profile = find(buffer_string(&path), SPAN("prefs.js"), "", &facts);
	buffer_free(&path);
	return entry[0] != '.' && depth < ACCOUNT_DEPTH && (is_profile || strcmp(entry, "Mail") == 0 ||
	    strcmp(entry, "ImapMail") == 0 || strcmp(name, "Mail") == 0 || strcmp(name, "ImapMail") == 0);
}

static void
add_account(struct accounts *accounts, const char *path)
{
	if (accounts->count < ACCOUNTS_MAX && has_mail(path, 0))
		accounts->paths[accounts->count++] = memory_copy_string(path);
	else
		accounts->empty++;
}

/* False: errno says why there is no looking. */
static bool
find_accounts(struct accounts *accounts, const char *directory, size_t depth)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, NULL, alphasort);
	bool is_one;

	if (count < 0)
		return false;
	if ((is_one = is_account(directory, entries, count)))
		add_account(accounts, directory);
	for (int i = 0; i < count; i++) {
		struct buffer path = { 0 };

		accounts->is_evolutions |= is_one && ends_with(entries[i]->d_name, ".cmeta");

		buffer_printf(&path, "%s/%s", directory, entries[i]->d_name);
		if (!is_one && leads_on(directory, entries[i]->d_name, depth))
			find_accounts(accounts, buffer_string(&path), depth + 1);
		buffer_free(&path);
		free(entries[i]);
	}
	free(entries);
	return true;
}

/* Of "PROFILE/Mail/Local Folders", the profile. */
static void
read_names(struct thunderbird_names *names, const char *account)
{
	char *real = realpath(account, NULL);
	char *slash = real == NULL ? NULL : strrchr(real, '/');

	if (slash != NULL) {
		*slash = '\0';
		slash = strrchr(real, '/');
	}
	if (slash != NULL) {
		*slash = '\0';
		thunderbird_names_read(names, real);
	}
	free(real);
}

/* One account alone needs no name above its mailboxes. */
static void
add_account_name(const struct account *account, const char *path, struct buffer *out)
{
	char *real = realpath(path, NULL);
	struct span name, full = span_from_string(real == NULL ? path : real);

	name = thunderbird_name_of(account->names.accounts, full);
	folder_name_add_text(out, name.length > 0 ? name : span_from_string(strrchr(path, '/') + 1));
	free(real);
}

static void
take_account(struct several *several, const char *path, bool is_only)
{
	struct account account = { .several = several };
	struct place place = { .directory = path };

	read_names(&account.names, path);
	if (!is_only)
		add_account_name(&account, path, &place.name);
	scan(&account, &place);
	buffer_free(&place.name);
	thunderbird_names_free(&account.names);
}

static struct source *
take_accounts(const struct accounts *accounts)
{
	struct several *several = several_new();
	struct source *source = several_source(several);

	for (size_t i = 0; i < accounts->count; i++)
		take_account(several, accounts->paths[i], accounts->count == 1);
	buffer_printf(&source->what, "mail of %s, %zu account%s",
	    accounts->is_evolutions ? "Evolution" : "Thunderbird", accounts->count, accounts->count == 1 ? "" : "s");
	if (accounts->empty > 0)
		buffer_printf(&source->what, ", and %zu without any mail", accounts->empty);
	return source;
}

struct source *
thunderbird_open(const char *path)
{
	struct accounts accounts = { 0 };
	struct source *source = NULL;
	int error = EBADMSG;

	if (!find_accounts(&accounts, path, 0))
		error = errno;
	else if (accounts.count + accounts.empty > 0)
		source = take_accounts(&accounts);
	for (size_t i = 0; i < accounts.count; i++)
		free(accounts.paths[i]);
	errno = error;
	return source;
}
