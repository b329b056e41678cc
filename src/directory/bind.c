/*
 * Proving a password by a bind (RFC 4513 section 5.1).
 */
#include "bind.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "pattern.h"

struct proof {
	const char *dn;
	struct berval password;
};

static int
ask_to_bind(LDAP *ldap, void *context)
{
	struct proof *proof = context;

	return ldap_sasl_bind_s(ldap, proof->dn, LDAP_SASL_SIMPLE, &proof->password, NULL, NULL, NULL);
}

/* What a bind says about the password (RFC 4511 appendix A.2). */
static enum directory_status
read_answer(const char *dn, int result, bool *is_match_out)
{
	switch (result) {
	case LDAP_SUCCESS:
	case LDAP_INVALID_CREDENTIALS:
	case LDAP_INAPPROPRIATE_AUTH:		/* the entry has no password */
	case LDAP_INSUFFICIENT_ACCESS:
	case LDAP_CONSTRAINT_VIOLATION:
	case LDAP_UNWILLING_TO_PERFORM:		/* locked, expired */
	case LDAP_NO_SUCH_OBJECT:		/* deleted meanwhile */
	case LDAP_INVALID_DN_SYNTAX:
		*is_match_out = result == LDAP_SUCCESS;
		return DIRECTORY_OK;
	case LDAP_SERVER_DOWN:			/* logged for each server */
		return DIRECTORY_UNAVAILABLE;
	default:
		log_warning("ldap-failed", log_text("dn", dn), log_text("reason", ldap_err2string(result)));
		return DIRECTORY_UNAVAILABLE;
	}
}

/* A password that no entry of ours can have; a bind with an empty one succeeds and proves nothing (RFC
 * 4513 section 5.1.2). */
static bool
is_usable(struct span password)
{
	return password.length > 0 && password.length <= DIRECTORY_PASSWORD_MAX &&
	    span_find(password, '\0') == password.length;
}

/* Name an entry that does not exist, to be asked for in the place of a user who does not. */
static void
name_nobody(const char *base, struct buffer *out)
{
	char drawn[DIRECTORY_ID_LENGTH + 1];
	struct span name = pattern_draw_name(drawn);

	buffer_add_string(out, "cn=");
	buffer_add_span(out, name);
	buffer_add_octet(out, ',');
	pattern_expand(base, name, out);
}

enum directory_status
bind_verify(struct servers *servers, const char *base, struct span credential, struct span password, bool *is_match_out)
{
	struct buffer dn = { 0 };
	struct proof proof = { .password = { .bv_len = password.length } };
	enum directory_status status;
	bool is_match = false;

	if (!is_usable(password)) {
		*is_match_out = false;
		return DIRECTORY_OK;
	}
	if (credential.length > 0)
		buffer_add_span(&dn, credential);
	else
		name_nobody(base, &dn);
	proof.dn = buffer_string(&dn);
	proof.password.bv_val = memory_copy_span(password);
	status = read_answer(proof.dn, servers_ask(servers, SERVERS_BIND, ask_to_bind, &proof),
	    &is_match);
	if (status == DIRECTORY_OK)
		*is_match_out = is_match && credential.length > 0;
	memory_wipe(proof.password.bv_val, password.length);
	free(proof.password.bv_val);
	buffer_free(&dn);
	return status;
}
