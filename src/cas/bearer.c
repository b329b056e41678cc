/*
 * Tokens of OAUTHBEARER and XOAUTH2: a worker checks the signature, by the rules that are in force when it begins.
 * Loop thread; work() on a worker.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "login.h"

struct bearer {
	struct job job;
	struct cas_client *client;	/* loop thread only, like the next */
	proof_react *react;
	struct token_rules *rules;
	struct buffer token;		/* wiped */
	struct buffer user;		/* filled by the worker, like the next */
	enum token_verdict verdict;
};

static void
bearer_free(struct bearer *bearer)
{
	buffer_wipe(&bearer->token);
	buffer_free(&bearer->user);
	token_rules_free(&bearer->rules);
	free(bearer);
}

static void
work(struct job *job)
{
	struct bearer *bearer = CONTAINER_OF(job, struct bearer, job);

	bearer->verdict = token_check(bearer->rules, buffer_span(&bearer->token), clock_calendar_s(), &bearer->user);
}

static void
on_checked(struct job *job)
{
	struct bearer *bearer = CONTAINER_OF(job, struct bearer, job);
	struct cas_client *client = bearer->client;

	client->jobs--;
	client->cas->verifying--;
	if (client->state == VERIFYING)		/* it may have left meanwhile */
		bearer->react(client, sasl_token(client->sasl, bearer->verdict, buffer_span(&bearer->user)));
	client_wake(client);
	bearer_free(bearer);
}

void
bearer_ask(struct cas_client *client, proof_react *react)
{
	struct cas *cas = client->cas;
	struct span token = sasl_password(client->sasl);
	struct bearer *bearer;

	client_enter(client, VERIFYING);
	/* A reload may have taken the issuers away since the mechanism was chosen. */
	if (cas->parts.tokens == NULL || cas->verifying == VERIFYING_MAX) {
		verdict_unavailable(client, cas->parts.tokens == NULL ? "no issuer is configured any more" :
			"too many passwords wait to be checked");
		return;
	}
	cas->verifying++;
	client->jobs++;
	bearer = NEW(struct bearer);
	bearer->client = client;
	bearer->react = react;
	bearer->rules = token_rules_hold(cas->parts.tokens);
	buffer_reserve(&bearer->token, token.length + 1);
	buffer_add_span(&bearer->token, token);
	bearer->job.work = work;
	bearer->job.done = on_checked;
	workers_submit(cas->parts.compute, &bearer->job);
}
