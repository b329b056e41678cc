/*
 * Reading the head of a request.  What RFC 9112 lets a server repair is refused where two readers could
 * disagree about it (section 11.2, request smuggling): a bare LF, folded fields, a space before the colon, more than one
 * Content-Length or Host.  Pure.
 */
#include "head.h"

/* RFC 9110 section 5.6.2. */
static bool
is_token(struct span word)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < word.length; i++) {
		uint8_t octet = ascii_lower(word.at[i]);

		if (!(octet >= 'a' && octet <= 'z') && !ascii_is_digit(octet) &&
		    (octet == '\0' || strchr(others, octet) == NULL))
			return false;
	}
	return word.length > 0;
}

/* Visible ASCII: RFC 3986 knows no other octet in a URI.  A fragment is never sent. */
static bool
is_target(struct span target)
{
	for (size_t i = 0; i < target.length; i++) {
		if (target.at[i] <= ' ' || target.at[i] >= 0x7f || target.at[i] == '#')
			return false;
	}
	return target.length > 0;
}

/* RFC 9110 section 5.5: anything but control characters, HTAB apart. */
static bool
is_value(struct span value)
{
	for (size_t i = 0; i < value.length; i++) {
		if ((value.at[i] < ' ' && value.at[i] != '\t') || value.at[i] == 0x7f)
			return false;
	}
	return true;
}

static enum head_outcome
refuse(struct head_fault *fault, unsigned status, const char *text)
{
	*fault = (struct head_fault){ status, text };
	return HEAD_WRONG;
}

static bool
wrong(struct head_fault *fault, unsigned status, const char *text)
{
	refuse(fault, status, text);
	return false;
}

/* Origin form, or the absolute form, whose host goes before the field (RFC 9112 section 3.2.2). */
static bool
take_target(struct head *head, struct span target, struct head_fault *fault)
{
	size_t slash;

	if (!is_target(target))
		return wrong(fault, 400, "the target of the request holds what no URL does");
	if (span_starts_with_nocase(target, SPAN("http://")) || span_starts_with_nocase(target, SPAN("https://"))) {
		target = span_from(target, span_find(target, ':') + 3);
		slash = span_find(target, '/');
		head->host = span_slice(target, 0, slash);
		target = span_from(target, slash);
		if (head->host.length == 0)
			return wrong(fault, 400, "the target of the request names no host");
		if (target.length == 0)
			target = SPAN("/");
	}
	if (target.at[0] != '/' && !span_equals(target, SPAN("*")))
		return wrong(fault, 400, "the target of the request is no path");
	head->path = span_slice(target, 0, span_find(target, '?'));
	head->has_query = head->path.length < target.length;
	head->query = head->has_query ? span_from(target, head->path.length + 1) : SPAN("");
	return true;
}

static bool
take_version(struct head *head, struct span version, struct head_fault *fault)
{
	if (version.length != 8 || !span_starts_with(version, SPAN("HTTP/")) || !ascii_is_digit(version.at[5]) ||
	    version.at[6] != '.' || !ascii_is_digit(version.at[7]))
		return wrong(fault, 400, "the first line is no request line of HTTP");
	if (version.at[5] != '1')
		return wrong(fault, 505, "this server speaks HTTP/1.1");
	head->minor = version.at[7] == '0' ? 0 : 1;
	return true;
}

static bool
take_request_line(struct head *head, struct span line, struct head_fault *fault)
{
	size_t first = span_find(line, ' '), second;
	struct span rest = span_from(line, first + 1);

	head->method = span_slice(line, 0, first);
	second = span_find(rest, ' ');
	if (!is_token(head->method) || second >= rest.length)
		return wrong(fault, 400, "the first line is no request line of HTTP");
	return take_version(head, span_from(rest, second + 1), fault) &&
	    take_target(head, span_slice(rest, 0, second), fault);
}

static bool
take_field(struct head *head, struct span line, struct head_fault *fault)
{
	size_t colon = span_find(line, ':');
	struct head_field *field;

	if (head->field_count == HEAD_FIELDS_MAX)
		return wrong(fault, 431, "too many header fields");
	field = &head->fields[head->field_count];
	field->name = span_slice(line, 0, colon);
	field->value = span_trim(span_from(line, colon + 1));
	if (colon == line.length || !is_token(field->name) || !is_value(field->value))
		return wrong(fault, 400, "a header field is malformed");	/* folded ones, too: section 5.2 */
	head->field_count++;
	return true;
}

/* The value of a field that may stand once; false: it stands there more often. */
static bool
find_only(const struct head *head, const char *name, struct span *value_out, bool *is_there_out)
{
	size_t count = 0;

	for (size_t i = 0; i < head->field_count; i++) {
		if (span_equals_nocase(head->fields[i].name, span_from_string(name)) && count++ == 0)
			*value_out = head->fields[i].value;
	}
	*is_there_out = count > 0;
	return count <= 1;
}

struct span
head_field(const struct head *head, const char *name)
{
	struct span value = { NULL, 0 };
	bool is_there;

	find_only(head, name, &value, &is_there);
	return value;
}

/* RFC 9112 section 3.2. */
static bool
check_host(struct head *head, struct head_fault *fault)
{
	struct span value = { NULL, 0 };
	bool is_there;

	if (!find_only(head, "Host", &value, &is_there))
		return wrong(fault, 400, "more than one Host");
	if (!is_there && head->minor >= 1)
		return wrong(fault, 400, "the field Host is missing");
	if (value.length > 0 && (!is_target(value) || span_find(value, '/') < value.length ||
	    span_find(value, '@') < value.length || span_find(value, ',') < value.length))
		return wrong(fault, 400, "the field Host holds no host");
	if (head->host.length == 0)
		head->host = value;
	return true;
}

/* RFC 9112 section 6.  A length is told or there is no body: nobody who asks here sends pieces of unknown length. */
static bool
check_body(struct head *head, struct head_fault *fault)
{
	struct span length = { NULL, 0 }, coding = { NULL, 0 };
	bool has_length, has_coding;

	if (!find_only(head, "Content-Length", &length, &has_length))
		return wrong(fault, 400, "more than one Content-Length");
	if (has_length && !span_to_number(length, INT64_MAX, &head->body_length))
		return wrong(fault, 400, "Content-Length is no number");
	if (!find_only(head, "Transfer-Encoding", &coding, &has_coding) || (has_coding && (has_length || head->minor == 0)))
		return wrong(fault, 400, "the length of the body can be read in two ways");
	if (has_coding && !span_equals_nocase(coding, SPAN("chunked")))
		return wrong(fault, 501, "this transfer coding is not known here");
	if (has_coding)
		return wrong(fault, 411, "say the length of the body by Content-Length");
	return true;
}

static bool
has_word(struct span list, const char *word)
{
	while (list.length > 0) {
		size_t comma = span_find(list, ',');

		if (span_equals_nocase(span_trim(span_slice(list, 0, comma)), span_from_string(word)))
			return true;
		list = span_from(list, comma + 1);
	}
	return false;
}

/* RFC 9112 section 9.3; RFC 9110 section 10.1.1. */
static bool
check_rest(struct head *head, struct head_fault *fault)
{
	struct span connection = head_field(head, "Connection"), expect = head_field(head, "Expect");

	head->closes = has_word(connection, "close") || (head->minor == 0 && !has_word(connection, "keep-alive"));
	head->expects_continue = head->minor >= 1 && span_equals_nocase(expect, SPAN("100-continue"));
	if (expect.length > 0 && !span_equals_nocase(expect, SPAN("100-continue")))
		return wrong(fault, 417, "nobody here knows what to expect");
	return true;
}

/* The next line without its CRLF. */
static enum head_outcome
next_line(struct span input, size_t *offset, struct span *line_out, struct head_fault *fault)
{
	struct span rest = span_from(input, *offset);
	size_t end = span_find(rest, '\n');

	if (end == rest.length)
		return HEAD_NEED_MORE;
	*offset += end + 1;
	*line_out = span_slice(rest, 0, end == 0 ? 0 : end - 1);
	if (end > 0 && rest.at[end - 1] == '\r')
		return HEAD_DONE;
	return refuse(fault, 400, "a line of the head does not end with CRLF");
}

/* TLS, or another protocol: no line end need ever come. */
static bool
is_foreign(uint8_t first)
{
	return first >= 0x7f || (first <= ' ' && first != '\r' && first != '\n');
}

/* No line end so far: will there be one within what a head may take? */
static enum head_outcome
need_more(struct span input, bool has_request_line, struct head_fault *fault)
{
	if (!has_request_line && input.length > 0 && is_foreign(input.at[0]))
		return refuse(fault, 400, "this is not HTTP");
	if (!has_request_line && input.length > HEAD_LINE_MAX)
		return refuse(fault, 414, "the request line is too long");
	if (input.length > HEAD_MAX)
		return refuse(fault, 431, "the head of the request is too long");
	return HEAD_NEED_MORE;
}

/* Empty lines before a request are let through: RFC 9112 section 2.2. */
static bool
take_line(struct head *head, struct span line, struct head_fault *fault)
{
	if (head->method.length > 0)
		return take_field(head, line, fault);
	if (line.length > HEAD_LINE_MAX)
		return wrong(fault, 414, "the request line is too long");
	return line.length == 0 || take_request_line(head, line, fault);
}

enum head_outcome
head_parse(struct span input, struct head *head, struct head_fault *fault)
{
	enum head_outcome outcome;
	struct span line;
	size_t offset = 0;

	*head = (struct head){ .minor = 1 };
	do {
		outcome = next_line(input, &offset, &line, fault);
		if (outcome == HEAD_NEED_MORE)
			return need_more(input, head->method.length > 0, fault);
		if (outcome == HEAD_WRONG)
			return HEAD_WRONG;
		if (offset > HEAD_MAX)
			return refuse(fault, 431, "the head of the request is too long");
		if (head->method.length > 0 && line.length == 0)
			break;
	} while (take_line(head, line, fault));
	if (head->method.length == 0 || line.length > 0)
		return HEAD_WRONG;
	head->length = offset;
	return check_host(head, fault) && check_body(head, fault) && check_rest(head, fault) ? HEAD_DONE : HEAD_WRONG;
}

bool
head_is_host_local(struct span host)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };
	uint64_t port;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct span name = span_from_string(names[i]), rest = span_from(host, name.length);

		if (span_equals_nocase(span_slice(host, 0, name.length), name) && (rest.length == 0 ||
		    (rest.at[0] == ':' && span_to_number(span_from(rest, 1), 65535, &port))))
			return true;
	}
	return false;
}
