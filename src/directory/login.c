/*
 * Who a client says it is: one user, or somebody who acts as another.  Worker thread, but for what is pure.
 */
#include "backend.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/thread.h"

/* The parts of a claim; not prepared. */
struct parts {
	struct span prover, principal;
	struct span domain;		/* that may have to be put behind both; empty: none */
	bool is_other;			/* two users are named */
	bool is_explicit;		/* by an authorization identity: the name is not taken apart */
};

/* The offset of the last such octet, or the length. */
static size_t
find_last(struct span text, uint8_t octet)
{
	size_t at = text.length;

	while (at > 0 && text.at[at - 1] != octet)
		at--;
	return at == 0 ? text.length : at - 1;
}

static struct parts
take_apart(const struct directory_claim *claim)
{
	struct span name = claim->name;
	size_t at = claim->separator == 0 ? name.length : find_last(name, claim->separator);

	if (claim->identity.length > 0 && !span_equals_nocase(claim->identity, name))
		return (struct parts){ .prover = name, .principal = claim->identity, .is_other = true, .is_explicit = true };
	if (claim->is_proved)
		return (struct parts){ .prover = name, .principal = name };
	if (at < name.length)
		return (struct parts){ .prover = span_from(name, at + 1), .principal = span_slice(name, 0, at),
			.is_other = true };
	if ((at = find_last(name, '/')) < name.length) {
		struct parts parts = { .prover = span_slice(name, 0, at), .principal = span_from(name, at + 1),
			.is_other = true };
		size_t slash = find_last(parts.prover, '/');

		if (slash < parts.prover.length) {
			parts.domain = span_slice(parts.prover, 0, slash);
			parts.prover = span_from(parts.prover, slash + 1);
		}
		return parts;
	}
	return (struct parts){ .prover = name, .principal = name };
}

struct span
directory_claim_prover(const struct directory_claim *claim)
{
	return take_apart(claim).prover;
}

static void
complete(struct span name, struct span domain, struct buffer *full_out)
{
	buffer_add_span(full_out, name);
	buffer_add_octet(full_out, '@');
	buffer_add_span(full_out, domain);
}

size_t
directory_claim_names(const struct directory_claim *claim, struct directory_name names_out[DIRECTORY_CLAIM_NAMES])
{
	struct parts parts = take_apart(claim);
	struct buffer prover = { 0 }, principal = { 0 };
	size_t count = 0;

	complete(parts.prover, parts.domain, &prover);
	complete(parts.principal, parts.domain, &principal);
	const struct span names[DIRECTORY_CLAIM_NAMES] = { claim->name, parts.prover, parts.principal, buffer_span(&prover),
		buffer_span(&principal) };

	for (size_t i = 0; i < DIRECTORY_CLAIM_NAMES; i++)
		count += directory_prepare_name(names[i], &names_out[count]);
	buffer_free(&prover);
	buffer_free(&principal);
	return count;
}

/*
 * Who may not log in is found all the same.  An alias is as good as the name, but for one that stands for a domain; it is
 * looked up in any case, so that it takes as long.
 */
static enum directory_status
look_up(struct directory *directory, struct span name, struct arena *arena, struct directory_user *user_out)
{
	struct directory_user by_alias = { .credential_version = 0 };
	struct directory_name prepared = { .length = 0 };
	enum directory_status status, alias_status;

	*user_out = by_alias;
	if (!directory_prepare_name(name, &prepared))
		prepared.length = 0;	/* nobody has it: it is asked for, so that it takes as long */
	status = directory->backend->lookup(directory, directory_name_span(&prepared), arena, user_out);
	if (prepared.length > 0 && prepared.text[0] == '@')
		prepared.length = 0;
	alias_status = directory_lookup_alias(directory, directory_name_span(&prepared), arena, &by_alias);
	if (status == DIRECTORY_NOT_FOUND && alias_status == DIRECTORY_OK)
		*user_out = by_alias;
	if (status == DIRECTORY_NOT_FOUND)
		status = alias_status;
	return status == DIRECTORY_NOT_FOUND ? DIRECTORY_OK : status;
}

/* With the domain behind it, when that can be one, or by itself; both are asked for. */
static enum directory_status
look_up_part(struct directory *directory, struct span name, struct span domain, struct arena *arena,
    struct directory_user *user_out)
{
	enum directory_status status = look_up(directory, name, arena, user_out);
	struct directory_user longer;
	struct buffer full = { 0 };

	if (status != DIRECTORY_OK || domain.length == 0 || span_find(name, '@') < name.length)
		return status;
	complete(name, domain, &full);
	status = look_up(directory, buffer_span(&full), arena, &longer);
	buffer_free(&full);
	if (status == DIRECTORY_OK && longer.name.length > 0)
		*user_out = longer;
	return status;
}

/* Whoever is no user, or may not log in, proves nothing. */
static void
leave_out(struct directory_user *prover)
{
	if (!prover->is_enabled || prover->is_shared)
		*prover = (struct directory_user){ .credential_version = 0 };
}

/* Two users are named: who they are, and whether the one may act as the other. */
static enum directory_status
find_both(struct directory *directory, const struct parts *parts, struct arena *arena, struct directory_login *login)
{
	enum directory_status status = look_up_part(directory, parts->prover, parts->domain, arena, &login->prover);

	if (status == DIRECTORY_OK)
		status = look_up_part(directory, parts->principal, parts->domain, arena, &login->principal);
	if (status != DIRECTORY_OK)
		return status;
	leave_out(&login->prover);
	login->is_other = true;
	if ((status = directory->backend->permits(directory, arena, login)) != DIRECTORY_OK)
		return status;
	login->is_permitted = login->is_permitted && login->prover.name.length > 0 && login->principal.name.length > 0 &&
	    (login->principal.is_enabled || login->principal.is_shared || login->is_master);
	if (login->prover.name.length > 0 && span_equals(login->prover.name, login->principal.name)) {
		login->is_other = login->is_master = false;
		login->is_permitted = true;
	}
	return DIRECTORY_OK;
}

enum directory_status
directory_find_login(struct directory *directory, const struct directory_claim *claim, struct arena *arena,
    struct directory_login *login_out)
{
	struct parts parts = take_apart(claim);
	struct directory_login both = { .is_other = false }, whole = { .is_permitted = true };
	enum directory_status status = DIRECTORY_OK;

	assert_off_loop();
	if (!parts.is_explicit)
		status = look_up(directory, claim->name, arena, &whole.prover);
	if (status == DIRECTORY_OK && parts.is_other)
		status = find_both(directory, &parts, arena, &both);
	if (status != DIRECTORY_OK)
		return status;
	if (parts.is_other && whole.prover.name.length == 0) {
		*login_out = both;
		return DIRECTORY_OK;
	}
	leave_out(&whole.prover);
	whole.principal = whole.prover;
	*login_out = whole;
	return DIRECTORY_OK;
}
