/*
 * What proves a user: the directory is asked on its queue, then a worker compares the password, unless the same was
 * right a short while ago.  Loop thread; the work() functions on workers.
 */
#include <stdlib.h>

#include "auth/password.h"
#include "base/clock.h"
#include "base/memory.h"
#include "login.h"

/* One question to the directory and one to a password worker, in this order. */
struct check {
	struct job job;
	struct cas_client *client;		/* loop thread only, like the next */
	proof_react *react;
	struct directory *directory;
	struct buffer name, identity;		/* of claim */
	struct directory_claim claim;
	struct buffer password;			/* wiped by whoever has it last */
	struct {				/* filled by the workers */
		enum directory_status status;
		struct directory_login login;
		bool is_match;
	} out;
	bool is_verifier;			/* the directory checks passwords itself */
	struct arena *arena;			/* of out.login */
};

static void
check_free(struct check *check)
{
	buffer_wipe(&check->password);
	buffer_free(&check->name);
	buffer_free(&check->identity);
	arena_free(&check->arena);
	free(check);
}

static struct auth_proof
proof_of(struct cas_client *client, const struct check *check)
{
	return (struct auth_proof){
		.user = directory_name_span(&client->prover),
		.credential_version = check->out.login.prover.credential_version,
		.mechanism = client->mechanism,
		.password = sasl_password(client->sasl),
	};
}

static void
verify_work(struct job *job)
{
	struct check *check = CONTAINER_OF(job, struct check, job);
	struct span password = buffer_span(&check->password);
	struct span credential = check->out.login.prover.credential;

	check->out.status = DIRECTORY_OK;
	if (check->is_verifier)
		check->out.status = directory_verify(check->directory, credential, password,
		    &check->out.is_match);
	else
		check->out.is_match = password_verify(password, credential);
}

/* The password was compared, or nobody could.  Borrows the check. */
static void
use_verdict(struct cas_client *client, const struct check *check)
{
	struct auth_proof proof = proof_of(client, check);

	if (check->out.status != DIRECTORY_OK) {
		verdict_no_directory(client, directory_status_text(check->out.status));
		return;
	}
	if (check->out.is_match && check->out.login.is_permitted)
		auth_cache_add(client->cas->cache, &proof, clock_monotonic_us());
	if (check->out.is_match && !check->is_verifier)
		learning_upgrade(client, check->out.login.prover.credential);
	check->react(client, sasl_verified(client->sasl, check->out.is_match));
}

static void
on_verified(struct job *job)
{
	struct check *check = CONTAINER_OF(job, struct check, job);
	struct cas_client *client = check->client;

	client->jobs--;
	client->cas->verifying--;
	if (client->state == VERIFYING)		/* it may have left meanwhile */
		use_verdict(client, check);
	client_wake(client);
	check_free(check);
}

/* Whether the password fits: remembered, or a matter for a worker.  Takes the check. */
static void
verify(struct cas_client *client, struct check *check)
{
	struct cas *cas = client->cas;
	struct auth_proof proof = proof_of(client, check);

	/* Who may not act so is compared each time, as one with a wrong password is. */
	if (check->out.login.is_permitted && check->out.login.prover.credential.length > 0 &&
	    auth_cache_has(cas->cache, &proof, clock_monotonic_us())) {
		metric_count(METRIC_CACHE, METRIC_CACHE_PASSWORD, METRIC_HIT);
		check->react(client, sasl_verified(client->sasl, true));
		check_free(check);
		return;
	}
	metric_count(METRIC_CACHE, METRIC_CACHE_PASSWORD, METRIC_MISS);
	if (cas->verifying == VERIFYING_MAX) {
		metric_count(METRIC_LIMIT_HITS, METRIC_PASSWORDS_WAITING, 0);
		check_free(check);
		verdict_unavailable(client, "too many passwords wait to be checked");
		return;
	}
	cas->verifying++;
	client->jobs++;
	buffer_add_span(&check->password, proof.password);
	check->job.work = verify_work;
	check->job.done = on_verified;
	check->is_verifier = directory_is_verifier(check->directory);
	workers_submit(check->is_verifier ? cas->parts.storage : cas->parts.compute, &check->job);
}

static void
look_up_work(struct job *job)
{
	struct check *check = CONTAINER_OF(job, struct check, job);

	directory_begin_reading(check->directory);
	check->out.status = directory_find_login(check->directory, &check->claim, check->arena, &check->out.login);
	directory_end_reading(check->directory);
	if (check->out.status != DIRECTORY_OK)
		check->out.login = (struct directory_login){ .is_permitted = true };
}

/* Whether another server is asked whether the password fits. */
static bool
is_relayed(const struct cas_client *client, const struct directory_login *login)
{
	return client->is_elsewhere && !login->is_other && client->event == SASL_VERIFY;
}

/*
 * The mail is at another server, which alone proves who its user is, by the password itself: all other proofs lead to
 * nobody.  A master or delegate has no password there that would be the user's.
 */
static void
leave_to_relay(struct cas_client *client, struct directory_login *login)
{
	if (login->is_other)
		sasl_forbid(client->sasl);
	else if (client->event != SASL_VERIFY)
		login->prover = (struct directory_user){ .credential_version = 0 };
}

/*
 * Who it is, as far as the directory knows.  Who has nothing to compare with is nobody, unless the proof has been
 * given; so is who is denied.
 */
static void
take_user(struct cas_client *client, struct check *check)
{
	struct directory_login *login = &check->out.login;
	struct directory_user *prover = &login->prover, *user = login->is_other ? &login->principal : prover;

	client->is_elsewhere = directory_home_is_foreign(user->home);
	client->has_no_password = prover->credential.length == 0;
	if (client->is_elsewhere)
		leave_to_relay(client, login);
	if (client->event != SASL_AUTHORIZE && client->has_no_password && !is_relayed(client, login))
		prover->name.length = 0;
	client->prover = client->user = (struct directory_name){ .length = 0 };
	memcpy(client->prover_id, prover->mailbox_id, sizeof client->prover_id);
	if (prover->name.length > 0)
		directory_prepare_name(prover->name, &client->prover);
	if (prover->name.length > 0 && user->name.length > 0)
		directory_prepare_name(user->name, &client->user);
	client->is_acting = login->is_other;
	client->is_master = login->is_master;
	if (!login->is_permitted)
		sasl_forbid(client->sasl);
	buffer_clear(&client->home);
	buffer_add_span(&client->home, user->home);
	client->is_denied = denied_client(client);
	if (client->is_denied)
		*prover = (struct directory_user){ .credential_version = 0 };
}

/* The directory has answered.  Takes the check. */
static void
use_answer(struct cas_client *client, struct check *check)
{
	enum directory_status status = check->out.status;

	if (status == DIRECTORY_AMBIGUOUS) {	/* this one name's trouble, and no outage */
		check_free(check);
		verdict_unavailable(client, directory_status_text(status));
		return;
	}
	if (status != DIRECTORY_OK && status != DIRECTORY_NOT_FOUND) {
		check_free(check);
		verdict_no_directory(client, directory_status_text(status));
		return;
	}
	outage_end(client->cas, CAS_OUTAGE_DIRECTORY);
	take_user(client, check);
	if (client->event == SASL_VERIFY && directory_asks_home(client->cas->parts.directory)) {
		check_free(check);
		admission_ask_home(client);
	} else if (is_relayed(client, &check->out.login) && client->user.length > 0 && !client->is_denied) {
		check_free(check);
		relay_open(client);
	} else if (client->event == SASL_VERIFY) {
		verify(client, check);
	} else {
		check->react(client, client->event == SASL_AUTHORIZE ?
			sasl_found(client->sasl, check->out.login.prover.name.length > 0) :
			sasl_credential(client->sasl, check->out.login.prover.credential, login_counted(client)));
		check_free(check);
	}
}

static void
on_looked_up(struct job *job)
{
	struct check *check = CONTAINER_OF(job, struct check, job);
	struct cas_client *client = check->client;

	client->jobs--;
	client_wake(client);
	if (client->state == VERIFYING)
		use_answer(client, check);
	else
		check_free(check);
}

/* A name that nobody can have is asked for all the same, so that it takes as long. */
void
proof_ask(struct cas_client *client, enum sasl_event event, proof_react *react)
{
	struct check *check = NEW(struct check);

	client->event = event;
	client->asked_us = event == SASL_VERIFY ? clock_monotonic_us() : 0;
	check->client = client;
	check->react = react;
	check->directory = client->cas->parts.directory;
	buffer_add_span(&check->name, sasl_user(client->sasl));
	buffer_add_span(&check->identity, sasl_identity(client->sasl));
	check->claim = login_claim(client);
	check->claim.name = buffer_span(&check->name);
	check->claim.identity = buffer_span(&check->identity);
	check->arena = arena_new();
	check->job.work = look_up_work;
	check->job.done = on_looked_up;
	if (client->state != VERIFYING)
		client_enter(client, VERIFYING);
	if (job_queue_submit(client->cas->parts.directory_queue, &check->job)) {
		client->jobs++;
		return;
	}
	check_free(check);
	verdict_no_directory(client, "too many logins wait for the directory");
}
