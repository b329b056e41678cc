/*
 * Reading addresses of the envelope, and the names of users that may be meant.  Lenient where RFC 5321 is
 * strict and nothing depends on it: the directory decides which names exist.  Pure.
 */
#include "path.h"

#include "imap/mailbox_name.h"

/* Take one octet when it is the one expected. */
static bool
take(struct span *input, uint8_t octet)
{
	if (input->length == 0 || input->at[0] != octet)
		return false;
	*input = span_from(*input, 1);
	return true;
}

static bool
is_special(uint8_t octet)
{
	return octet <= ' ' || octet == 0x7f || memchr("<>()[]\\,;:@\"", octet, 12) != NULL;
}

/* Skip "@one,@two:" (RFC 5321 appendix C: accepted and ignored). */
static bool
skip_route(struct span *input)
{
	size_t colon;

	if (input->length == 0 || input->at[0] != '@')
		return true;
	colon = span_find(*input, ':');
	if (colon == input->length || span_find(*input, '>') < colon)
		return false;
	*input = span_from(*input, colon + 1);
	return true;
}

static bool
read_quoted(struct span *input, struct lmtp_path *path)
{
	uint8_t octet;

	while (!take(input, '"')) {
		take(input, '\\');
		if (input->length == 0 || input->at[0] < ' ' || input->at[0] == 0x7f ||
		    path->local_length == LMTP_LOCAL_MAX)
			return false;
		octet = input->at[0];
		path->local[path->local_length++] = octet;
		*input = span_from(*input, 1);
	}
	return path->local_length > 0;
}

static bool
read_local(struct span *input, struct lmtp_path *path)
{
	if (take(input, '"'))
		return read_quoted(input, path);
	while (input->length > 0 && !is_special(input->at[0])) {
		if (path->local_length == LMTP_LOCAL_MAX)
			return false;
		path->local[path->local_length++] = input->at[0];
		*input = span_from(*input, 1);
	}
	return path->local_length > 0;
}

/* A name, or an address in brackets, which holds colons. */
static bool
read_domain(struct span *input, struct lmtp_path *path)
{
	bool is_literal = input->length > 0 && input->at[0] == '[';
	uint8_t octet;

	while (input->length > 0 && (octet = input->at[0]) != '>') {
		if (path->domain_length == LMTP_DOMAIN_MAX)
			return false;
		if (is_special(octet) && !(is_literal && (octet == '[' || octet == ']' || octet == ':')))
			return false;
		path->domain[path->domain_length++] = octet;
		*input = span_from(*input, 1);
	}
	return path->domain_length > 0;
}

bool
lmtp_path_parse(struct span *input, struct lmtp_path *path_out)
{
	*path_out = (struct lmtp_path){ .local_length = 0 };
	if (!take(input, '<'))
		return false;
	if (take(input, '>'))
		return true;
	if (!skip_route(input))
		return false;
	path_out->text = *input;
	if (!read_local(input, path_out) || (take(input, '@') && !read_domain(input, path_out)))
		return false;
	path_out->text.length -= input->length;
	return take(input, '>') && imap_utf8_is_valid(path_out->text);
}

static size_t
write_name(const struct lmtp_path *path, size_t local_length, bool has_domain, uint8_t *out)
{
	size_t length = local_length;

	memcpy(out, path->local, local_length);
	if (has_domain) {
		out[length++] = '@';
		memcpy(out + length, path->domain, path->domain_length);
		length += path->domain_length;
	}
	return length;
}

bool
lmtp_path_candidate(const struct lmtp_path *path, size_t index, uint8_t *name_out, size_t *length_out)
{
	size_t plus = span_find(span_of(path->local, path->local_length), '+');
	bool has_detail = plus > 0 && plus < path->local_length;
	bool has_domain = path->domain_length > 0;
	size_t forms = has_detail ? 2 : 1;

	if (index >= forms * (has_domain ? 2 : 1))
		return false;
	*length_out = write_name(path, index % forms == 1 ? plus : path->local_length,
	    has_domain && index < forms, name_out);
	return true;
}
