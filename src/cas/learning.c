/*
 * Passwords that are learned from a login.  Of users who are to move here: who has none in the directory gets the one that
 * the old server has just found right, so that the day the home changes nobody needs another.  And of those who have come
 * with a hash of another program.  A worker derives the credential, then the directory's queue writes it.  Loop thread; the work() functions on workers.
 */
#include <stdlib.h>

#include "auth/password.h"
#include "base/memory.h"
#include "login.h"

struct learning {
	struct job job;
	struct cas_client *client;	/* loop thread only; stays until its jobs are home */
	struct directory *directory;
	struct directory_name user;
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];	/* of the user */
	struct buffer old;		/* credential, which the new one is to replace; wiped, like those */
	struct buffer password, credential;
	bool wants_sha1;
	bool is_learned;
};

static void
end(struct learning *learning)
{
	learning->client->jobs--;
	learning->client->cas->verifying--;
	client_wake(learning->client);
	buffer_wipe(&learning->old);
	buffer_wipe(&learning->password);
	buffer_wipe(&learning->credential);
	free(learning);
}

/* Another login, or the operator, may have been faster: what is there stays, and who has the name by now. */
static void
keep_work(struct job *job)
{
	struct learning *learning = CONTAINER_OF(job, struct learning, job);
	struct span name = directory_name_span(&learning->user);
	struct arena *arena = arena_new();
	struct directory_user user;

	learning->is_learned = directory_lookup(learning->directory, name, arena, &user) == DIRECTORY_OK &&
	    strcmp(user.mailbox_id, learning->mailbox_id) == 0 && span_equals(user.credential, buffer_span(&learning->old)) &&
	    directory_set_credential(learning->directory, name, buffer_span(&learning->credential)) == DIRECTORY_OK;
	arena_free(&arena);
}

static void
on_kept(struct job *job)
{
	struct learning *learning = CONTAINER_OF(job, struct learning, job);

	if (learning->is_learned && learning->old.length > 0)
		log_info("password-upgraded", log_text("sid", learning->client->sid),
		    log_span("user", directory_name_span(&learning->user)));
	else if (learning->is_learned)
		log_info("password-learned", log_text("sid", learning->client->sid),
		    log_span("user", directory_name_span(&learning->user)));
	end(learning);
}

static void
derive_work(struct job *job)
{
	struct learning *learning = CONTAINER_OF(job, struct learning, job);

	password_derive(buffer_span(&learning->password), learning->wants_sha1, &learning->credential);
}

/* Where the directory has no time now, the next login is as good. */
static void
on_derived(struct job *job)
{
	struct learning *learning = CONTAINER_OF(job, struct learning, job);

	learning->job.work = keep_work;
	learning->job.done = on_kept;
	if (learning->credential.length == 0 ||
	    !job_queue_submit(learning->client->cas->parts.directory_queue, &learning->job))
		end(learning);
}

static void
begin(struct cas_client *client, struct span old)
{
	struct cas *cas = client->cas;
	struct span password = sasl_password(client->sasl);
	struct learning *learning = NEW(struct learning);

	learning->client = client;
	learning->directory = cas->parts.directory;
	learning->user = client->prover;
	memcpy(learning->mailbox_id, client->prover_id, sizeof learning->mailbox_id);
	learning->wants_sha1 = config_wants_sha1_keys(cas->parts.config);
	buffer_add_span(&learning->old, old);
	buffer_reserve(&learning->password, password.length + 1);
	buffer_add_span(&learning->password, password);
	learning->job.work = derive_work;
	learning->job.done = on_derived;
	client->jobs++;
	cas->verifying++;
	workers_submit(cas->parts.compute, &learning->job);
}

void
learning_begin(struct cas_client *client)
{
	const struct cas *cas = client->cas;

	if (cas->parts.config->relay_learn_passwords && client->has_no_password &&
	    !directory_is_verifier(cas->parts.directory) && cas->verifying < VERIFYING_MAX)
		begin(client, SPAN(""));
}

void
learning_upgrade(struct cas_client *client, struct span credential)
{
	enum password_kind kind = password_kind(credential);
	int wanted = client->cas->parts.config->upgrade_passwords;

	if ((kind == PASSWORD_WEAK_HASH && wanted != CONFIG_UPGRADE_NONE) ||
	    (kind == PASSWORD_STRONG_HASH && wanted == CONFIG_UPGRADE_ALL))
		if (client->cas->verifying < VERIFYING_MAX)
			begin(client, credential);
}
