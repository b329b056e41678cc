/*
 * Recipients: whose mail an address is, and whether the message has room in the mailbox and on the disk, as far as its size was
 * told (RFC 1870 section 6.1).  A sender who hears here that there is none keeps the message; one that hears of it behind the
 * message may take it for lost (findings/fetchmail-bounces-what-may-wait.sh).  Loop thread, but for work_room().
 */
#include <stdlib.h>

#include "base/log.h"
#include "config/config.h"
#include "recipients.h"
#include "store/message.h"

#define TRACE_OCTETS 1024	/* what is put before a message on its way here, and here, is not in its SIZE */

struct recipient_lookup {
	struct role_lookup lookup;
	struct lmtp_lookup *lmtp;
	bool is_postmaster;
	struct account_job room;
	struct account *account;	/* NULL: nobody asks for room */
};

/* RFC 5321 section 4.5.1: a name that every server has, in any case, and with or without a domain. */
static bool
is_postmaster(const struct lmtp_lookup *lmtp)
{
	struct span name = lmtp->names[lmtp->name_count - 1];	/* the barest form */

	return span_equals_nocase(name, SPAN("postmaster"));
}

static enum lmtp_outcome
outcome_of_lookup(const struct recipient_lookup *lookup)
{
	const struct role_lookup *home = &lookup->lookup;

	if (home->status == DIRECTORY_OK)
		return home->is_elsewhere ? LMTP_ELSEWHERE : LMTP_OK;
	if (home->status != DIRECTORY_NOT_FOUND)
		return home->status == DIRECTORY_ELSEWHERE ? LMTP_ELSEWHERE : LMTP_TRY_AGAIN;
	if (!lookup->is_postmaster)
		return LMTP_NO_USER;
	if (home->role->parts.config->postmaster == NULL)
		return LMTP_NO_POSTMASTER;
	log_warning("postmaster-unknown", log_text("user", home->role->parts.config->postmaster));
	return LMTP_TRY_AGAIN;		/* a slip of the operator's should send no mail back */
}

enum lmtp_outcome
recipients_over_quota(const struct mailbox_role *role)
{
	return role->parts.config->lmtp_over_quota == CONFIG_OVER_QUOTA_PERMANENT ? LMTP_OVER_QUOTA_FOR_GOOD :
		LMTP_OVER_QUOTA;
}

static void
answer(struct recipient_lookup *lookup, enum lmtp_outcome outcome)
{
	const struct role_lookup *home = &lookup->lookup;
	struct lmtp_recipient recipient = { 0 };

	if (outcome == LMTP_OK) {
		memcpy(recipient.user, home->found.text, sizeof recipient.user);
		memcpy(recipient.mailbox_id, home->mailbox_id, sizeof recipient.mailbox_id);
	}
	account_release(&lookup->account);
	lmtp_lookup_done(lookup->lmtp, outcome, &recipient);
	free(lookup);
}

/* Of so many octets it is known what they are going to be. */
static uint64_t
octets_to_come(const struct recipient_lookup *lookup)
{
	return lookup->lmtp->size_octets > 0 ? lookup->lmtp->size_octets + TRACE_OCTETS : 1;
}

static enum store_status
work_room(struct store *store, struct account_job *job)
{
	const struct recipient_lookup *lookup = CONTAINER_OF(job, struct recipient_lookup, room);
	uint64_t octets = octets_to_come(lookup);
	struct store_amounts room;
	enum store_status status = store_check_disk(store, 2 * octets);	/* once more in the spool */

	if (status == STORE_OK)
		status = store_quota_room(store, &room);
	if (status != STORE_OK)
		return status;
	return room.of[STORE_RESOURCE_MESSAGE] == 0 || room.of[STORE_RESOURCE_STORAGE] < octets ? STORE_OVER_QUOTA : STORE_OK;
}

/* What else is wrong with the store is said of the message: it may be over by then. */
static void
on_room(struct account_job *job)
{
	struct recipient_lookup *lookup = CONTAINER_OF(job, struct recipient_lookup, room);
	struct mailbox_role *role = lookup->lookup.role;

	answer(lookup, job->status == STORE_OVER_QUOTA ? recipients_over_quota(role) :
	    job->status == STORE_FULL ? LMTP_NO_SPACE : LMTP_OK);
	role->jobs--;
	role->on_ended(role);
}

static bool
has_limits(const struct role_lookup *home)
{
	struct store_amounts limits = accounts_limits_of(home->role->accounts, home->mailbox_id);

	return limits.of[STORE_RESOURCE_MESSAGE] != STORE_NO_QUOTA || limits.of[STORE_RESOURCE_STORAGE] != STORE_NO_QUOTA;
}

/* The store, which knows best, is asked only when the disk may be too small. */
static bool
is_disk_short(const struct recipient_lookup *lookup)
{
	return lookup->lookup.free_octets < STORE_RESERVE_OCTETS + 2 * octets_to_come(lookup);
}

static void
on_looked_up(struct role_lookup *home)
{
	struct recipient_lookup *lookup = CONTAINER_OF(home, struct recipient_lookup, lookup);
	enum lmtp_outcome outcome = outcome_of_lookup(lookup);

	if (outcome != LMTP_OK || !(has_limits(home) || is_disk_short(lookup))) {
		answer(lookup, outcome);
		return;
	}
	home->role->jobs++;
	lookup->account = account_hold(home->role->accounts, home->mailbox_id, home->found.text);
	lookup->room.kind = ACCOUNT_READ;
	lookup->room.work = work_room;
	lookup->room.done = on_room;
	account_submit(lookup->account, &lookup->room);
}

static void
add_name(struct role_lookup *lookup, struct span name)
{
	if (directory_prepare_name(name, &lookup->names[lookup->name_count]))
		lookup->name_count++;
}

/* "@" and the domain, if the address has one: the alias that gets what is for nobody. */
static void
add_catch_all(struct role_lookup *lookup, struct span address)
{
	size_t at = address.length;

	while (at > 0 && address.at[at - 1] != '@')
		at--;
	if (at == 0 || !directory_prepare_alias(span_from(address, at - 1), &lookup->catch_all))
		lookup->catch_all.length = 0;
}

/*
 * What is looked up, in this order: the address, then without its detail, then without its domain; each may be a user or an
 * alias.  Then who is postmaster, and last who gets what is left of the domain.
 */
void
recipients_look_up(void *context, struct lmtp_lookup *lmtp)
{
	struct recipient_lookup *lookup = NEW(struct recipient_lookup);
	const struct mailbox_role *role = context;

	for (size_t i = 0; i < lmtp->name_count; i++)
		add_name(&lookup->lookup, lmtp->names[i]);
	lookup->is_postmaster = is_postmaster(lmtp);
	if (lookup->is_postmaster && role->parts.config->postmaster != NULL)
		add_name(&lookup->lookup, span_from_string(role->parts.config->postmaster));
	lookup->lookup.takes_aliases = true;
	lookup->lookup.asks_disk = true;
	add_catch_all(&lookup->lookup, lmtp->names[0]);
	lookup->lmtp = lmtp;
	lookup->lookup.done = on_looked_up;
	role_look_up(context, &lookup->lookup);
}
