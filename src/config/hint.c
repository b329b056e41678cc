/*
 * What was probably meant by a value that is refused, as far as it can be told.  Pure.
 */
#include "options.h"

#include "base/memory.h"

static void
suggest(struct span value, const char *format, struct buffer *reason)
{
	buffer_add_string(reason, "; did you mean \"");
	buffer_printf(reason, format, SPAN_ARGS(value));
	buffer_add_string(reason, "\"?");
}

void
hint_quotes(struct span value, struct buffer *reason)
{
	static const struct span marks[] = { SPAN("'"), SPAN("\xe2\x80\x98"), SPAN("\xe2\x80\x99"), SPAN("\xe2\x80\x9a"),
		SPAN("\xe2\x80\x9c"), SPAN("\xe2\x80\x9d"), SPAN("\xe2\x80\x9e"), SPAN("\xc2\xab"), SPAN("\xc2\xbb") };

	for (size_t i = 0; i < COUNT_OF(marks); i++)
		if (span_starts_with(value, marks[i])) {
			buffer_add_string(reason, "; the quotation mark is \"");
			return;
		}
}

static bool
is_word(struct span value, const char *const *words)
{
	while (*words != NULL && !span_equals_nocase(value, span_from_string(*words)))
		words++;
	return *words != NULL;
}

/* "<" is of Dovecot 2.3, "unix:" and a path below its queue's folder of Postfix. */
void
hint_path(struct span value, struct buffer *reason)
{
	static const struct span prefixes[] = { SPAN("<"), SPAN("file://"), SPAN("file:"), SPAN("unix:"), SPAN("FILE:") };
	static const char *const nothing[] = { "none", "off", "no", "disabled", NULL };
	struct span rest = value;

	for (size_t i = 0; i < COUNT_OF(prefixes); i++)
		if (span_starts_with(rest, prefixes[i]))
			rest = span_from(rest, prefixes[i].length);
	if (rest.length < value.length && rest.length > 0 && rest.at[0] == '/')
		suggest(rest, "%.*s", reason);
	else if (span_starts_with(rest, SPAN("private/")) || span_starts_with(rest, SPAN("public/")))
		suggest(rest, "/var/spool/postfix/%.*s", reason);
	else if (span_starts_with(value, SPAN("http://")) || span_starts_with(value, SPAN("https://")))
		buffer_add_string(reason, "; fetch it into a file");
	else if (is_word(value, nothing))
		buffer_add_string(reason, "; for none, leave the line out");
}

static bool
has_other_letters(struct span value)
{
	for (size_t i = 0; i < value.length; i++)
		if (value.at[i] >= 0x80)
			return true;
	return false;
}

/* RFC 5890 section 2.3.2.1: such a name has a form for DNS. */
void
hint_host(struct span value, bool (*is_host)(struct span name), struct buffer *reason)
{
	size_t scheme = 0;
	struct span rest;

	for (size_t i = 0; i + 2 < value.length; i++)
		if (memcmp(value.at + i, "://", 3) == 0)
			scheme = i + 3;
	rest = span_from(value, scheme);
	rest = span_slice(rest, 0, span_find(rest, '/'));
	if (span_find(rest, '@') < rest.length)
		rest = span_from(rest, span_find(rest, '@') + 1);
	rest = span_slice(rest, 0, span_find(rest, ':'));
	if (!is_host(rest) && rest.length > 1)
		rest.length--;		/* "mail.example.org." and the like */
	if (has_other_letters(value))
		buffer_add_string(reason, "; a name with other letters is written in ASCII, as idn2 prints it");
	else if (rest.length < value.length && is_host(rest))
		suggest(rest, "%.*s", reason);
}

/* How many bits a mask such as 255.255.0.0 has.  False: it is none. */
static bool
count_mask(struct span mask, unsigned *bits_out)
{
	uint8_t octets[16];
	bool is_over = false;

	*bits_out = 0;
	if (span_find(mask, '.') == mask.length || !network_parse_address(mask, octets))
		return false;
	for (unsigned bit = 96; bit < 128; bit++) {
		bool is_set = (octets[bit / 8] & (0x80 >> bit % 8)) != 0;

		if (is_set && is_over)
			return false;
		is_over = !is_set;
		*bits_out += is_set;
	}
	return true;
}

/* "10.0.*" and "10.0.*.*"; false: it is not such. */
static bool
read_stars(struct span value, struct buffer *out)
{
	unsigned parts = 0, known = 0;

	while (value.length > 0) {
		struct span part = span_slice(value, 0, span_find(value, '.'));
		uint64_t number = 0;
		bool is_star = span_equals(part, SPAN("*"));

		if (!is_star && (known < parts || !span_to_number(part, 255, &number)))
			return false;
		buffer_printf(out, "%s%u", parts > 0 ? "." : "", (unsigned)number);
		parts++;
		known += !is_star;
		value = span_from(value, part.length + 1);
	}
	if (known == parts || known == 0 || parts > 4)
		return false;
	for (; parts < 4; parts++)
		buffer_add_string(out, ".0");
	buffer_printf(out, "/%u", 8 * known);
	return true;
}

void
hint_network(struct span value, struct buffer *reason)
{
	size_t slash = span_find(value, '/');
	struct config_network network;
	struct buffer text = { 0 };
	unsigned bits;

	if (count_mask(span_from(value, slash + 1), &bits)) {
		buffer_printf(&text, "%.*s/%u", SPAN_ARGS(span_slice(value, 0, slash)), bits);
		if (config_network_parse(buffer_span(&text), &network)) {
			buffer_clear(&text);
			network_print(&network, &text);
			suggest(buffer_span(&text), "%.*s", reason);
		}
	} else if (read_stars(value, &text)) {
		suggest(buffer_span(&text), "%.*s", reason);
	} else if (span_find(value, ',') < value.length) {
		buffer_add_string(reason, "; each has a line of its own");
	}
	buffer_free(&text);
}
