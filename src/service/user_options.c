/*
 * What may be said about a user, in words behind the name.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "base/memory.h"
#include "link/relay.h"
#include "user_job.h"

/* Whether users may live there; a mailbox host does not know what its client access hosts call the servers. */
static bool
is_home(const struct config *config, struct span home)
{
	struct directory_name name;

	return home.length == 0 || (config->mailbox_server.count == 0 && (config->role & CONFIG_ROLE_CAS) == 0 &&
	    directory_prepare_name(home, &name));
}

/* Of a server of another kind.  False: the call was answered. */
static bool
check_foreign_home(const struct service *service, struct control_call *call, struct span home)
{
	struct buffer text = { 0 };
	struct link_home read;
	const char *wrong = link_home_read(home, &read);

	if ((service->config->role & CONFIG_ROLE_CAS) == 0)
		wrong = "only a host with role cas relays its users, and this one has role mailbox";
	if (wrong == NULL)
		return true;
	buffer_printf(&text, "not a home: %.*s: %s", SPAN_ARGS(home), wrong);
	control_finish(call, EX_DATAERR, buffer_string(&text));
	buffer_free(&text);
	return false;
}

bool
user_home_check(const struct service *service, struct control_call *call, struct span home)
{
	const struct config_servers *servers = &service->config->mailbox_server;
	struct buffer text = { 0 };

	if (directory_home_is_foreign(home))
		return check_foreign_home(service, call, home);
	if (is_home(service->config, home))
		return true;
	for (size_t i = 0; i < servers->count; i++) {
		if (span_equals(home, span_from_string(servers->at[i].name)))
			return true;
	}
	buffer_printf(&text, "no mailbox-server of this name: %.*s", SPAN_ARGS(home));
	for (size_t i = 0; i < servers->count; i++)
		buffer_printf(&text, "%s%s", i == 0 ? "; there are: " : ", ", servers->at[i].name);
	control_finish(call, EX_DATAERR, buffer_string(&text));
	buffer_free(&text);
	return false;
}

const char *const user_limit_names[DIRECTORY_RESOURCE_COUNT] = {
	[DIRECTORY_STORAGE] = "quota-storage",
	[DIRECTORY_MESSAGES] = "quota-messages",
	[DIRECTORY_MAILBOXES] = "quota-mailboxes",
};

bool
user_job_has_limits(const struct user_job *job)
{
	for (int i = 0; i < DIRECTORY_RESOURCE_COUNT; i++)
		if (job->has_limit[i])
			return true;
	return false;
}

/* Whether the word is about a limit; it was taken, or *is_good_out is false, and the call was answered. */
static bool
read_limit(struct user_job *job, struct span word, bool *is_good_out)
{
	size_t equals = span_find(word, '=');

	for (int i = 0; i < DIRECTORY_RESOURCE_COUNT && equals < word.length; i++) {
		if (!span_equals(span_slice(word, 0, equals), span_from_string(user_limit_names[i])))
			continue;
		job->has_limit[i] = true;
		*is_good_out = directory_read_limit(span_from(word, equals + 1), i, &job->quota.of[i]);
		if (!*is_good_out)
			control_finish(job->call, EX_DATAERR, i == DIRECTORY_STORAGE ?
			    "a limit is none, default, or a size such as 500M or 2G" :
			    "a limit is none, default, or a number within the bounds of imapd.conf(5)");
		return true;
	}
	return false;
}

/* One word behind the name.  False: the call was answered. */
static bool
read_option(struct user_job *job, struct span word)
{
	const struct span home = SPAN("home=");
	bool is_good = true;

	if (job->order != ORDER_PASSWD && read_limit(job, word, &is_good)) {
		return is_good;
	}
	if (job->order == ORDER_ADD && span_equals(word, SPAN("if-missing"))) {
		job->may_exist = true;
	} else if (job->order == ORDER_ADD && span_equals(word, SPAN("shared"))) {
		job->is_shared = true;
	} else if (job->order != ORDER_SET && span_equals(word, SPAN("no-password"))) {
		job->has_no_password = true;
	} else if (job->order != ORDER_PASSWD && word.length >= home.length && span_equals(span_slice(word, 0, home.length), home)) {
		if (!user_home_check(job->service, job->call, span_from(word, home.length)))
			return false;
		free(job->home);
		job->home = memory_copy_span(span_from(word, home.length));
		job->has_home = true;
	} else if (job->order == ORDER_SET &&
	    (span_equals(word, SPAN("imap=on")) || span_equals(word, SPAN("imap=off")))) {
		job->has_enabled = true;
		job->is_enabled = span_equals(word, SPAN("imap=on"));
	} else if (job->order == ORDER_SET &&
	    (span_equals(word, SPAN("master=on")) || span_equals(word, SPAN("master=off")))) {
		job->has_master = true;
		job->is_master = span_equals(word, SPAN("master=on"));
	} else if (job->order == ORDER_SET && span_equals(word, SPAN("entry=any"))) {
		job->is_released = true;
	} else {
		control_finish(job->call, EX_USAGE, "home=SERVER, imap=on, imap=off, master=on, master=off, entry=any and quota-...=LIMIT may be set");
		return false;
	}
	return true;
}

/* The words behind the name.  False: the call was answered, the job is gone. */
bool
user_options_read(struct user_job *job)
{
	for (size_t i = 1; i < control_call_count(job->call); i++) {
		if (!read_option(job, control_call_word(job->call, i))) {
			user_job_free(job);
			return false;
		}
	}
	return true;
}
