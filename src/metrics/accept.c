/*
 * Which text a client wants: its Accept header, RFC 9110 sections 12.4.2 and 12.5.1.  Pure.
 */
#include "metrics/report.h"

#define WEIGHT_MOST 1000	/* thousandths */

struct range {
	struct span type;
	struct span version;		/* empty: any */
	unsigned weight;
};

/* Take what stands before the next separator. */
static struct span
take(struct span *rest, uint8_t separator)
{
	size_t end = span_find(*rest, separator);
	struct span part = span_trim(span_slice(*rest, 0, end));

	*rest = span_from(*rest, end + 1);
	return part;
}

/* "0.75" */
static unsigned
read_weight(struct span digits)
{
	unsigned weight = 0, place = WEIGHT_MOST;

	for (size_t i = 0; i < digits.length && place > 0; i++) {
		if (!ascii_is_digit(digits.at[i]))
			continue;
		weight += (unsigned)(digits.at[i] - '0') * place;
		place /= 10;
	}
	return weight;
}

static struct range
read_range(struct span text)
{
	struct range range = { .weight = WEIGHT_MOST };

	range.type = take(&text, ';');
	while (text.length > 0) {
		struct span parameter = take(&text, ';');

		if (span_starts_with_nocase(parameter, SPAN("q=")))
			range.weight = read_weight(span_from(parameter, 2));
		else if (span_starts_with_nocase(parameter, SPAN("version=")))
			range.version = span_from(parameter, 8);
	}
	return range;
}

static bool
is_openmetrics(const struct range *range)
{
	return span_equals_nocase(range->type, SPAN("application/openmetrics-text")) &&
	    (range->version.length == 0 || span_equals(range->version, SPAN("1.0.0")));
}

static bool
is_plain(const struct range *range)
{
	return span_equals_nocase(range->type, SPAN("text/plain")) || span_equals_nocase(range->type, SPAN("text/*"));
}

/* Who does not name OpenMetrics does not get it. */
enum metrics_format
metrics_format_for(struct span accept)
{
	unsigned openmetrics = 0, plain = 0;

	while (accept.length > 0) {
		struct range range = read_range(take(&accept, ','));

		if (is_openmetrics(&range) && range.weight > openmetrics)
			openmetrics = range.weight;
		if (is_plain(&range) && range.weight > plain)
			plain = range.weight;
	}
	return openmetrics > 0 && openmetrics >= plain ? METRICS_OPENMETRICS : METRICS_PROMETHEUS;
}
