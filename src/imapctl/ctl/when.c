#include "when.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/span.h"
#include "order.h"

static bool
read_ago(struct span text, int64_t *time_out)
{
	static const struct { char letter; int64_t seconds; } units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 },
	};
	uint64_t count;

	for (size_t i = 0; text.length > 1 && i < COUNT_OF(units); i++) {
		if (text.at[text.length - 1] != (uint8_t)units[i].letter ||
		    !span_to_number(span_slice(text, 0, text.length - 1), UINT32_MAX, &count))
			continue;
		*time_out = clock_calendar_s() - (int64_t)count * units[i].seconds;
		return true;
	}
	return false;
}

static bool
read_date(const char *text, int64_t *time_out)
{
	static const char *const formats[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d" };

	for (size_t i = 0; i < COUNT_OF(formats); i++) {
		struct tm parts = { .tm_isdst = -1 };
		const char *end = strptime(text, formats[i], &parts);

		if (end == NULL || (strcmp(end, "") != 0 && strcmp(end, "Z") != 0))
			continue;
		*time_out = *end == 'Z' ? timegm(&parts) : mktime(&parts);
		return true;
	}
	return false;
}

bool
when_read(const char *option, const char *text, int64_t *time_out)
{
	if (read_ago(span_from_string(text), time_out) || read_date(text, time_out))
		return true;
	complain("--%s takes a time such as 2026-11-29, 2026-11-29T08:30 or 2026-11-29T08:30:00Z, or how long ago: 12h, 3d", option);
	return false;
}
