/*
 * Numbers, sizes and durations, and what was probably meant by one with a unit that it does not take.  Pure.
 */
#include "options.h"

#include "base/memory.h"

struct unit {
	const char *name;
	uint64_t value;
};

static const struct unit seconds[] = {
	{ "", 1 }, { "s", 1 }, { "sec", 1 }, { "secs", 1 }, { "second", 1 }, { "seconds", 1 },
	{ "m", 60 }, { "min", 60 }, { "mins", 60 }, { "minute", 60 }, { "minutes", 60 },
	{ "h", 3600 }, { "hour", 3600 }, { "hours", 3600 },
	{ "d", 86400 }, { "day", 86400 }, { "days", 86400 },
	{ "w", 604800 }, { "week", 604800 }, { "weeks", 604800 },
	{ "y", 31536000 }, { "year", 31536000 }, { "years", 31536000 }, { NULL, 0 },
};
static const struct unit sizes[] = {
	{ "", 1 }, { "b", 1 }, { "byte", 1 }, { "bytes", 1 }, { "octets", 1 },
	{ "k", 1 << 10 }, { "kb", 1 << 10 }, { "kib", 1 << 10 }, { "m", 1 << 20 }, { "mb", 1 << 20 },
	{ "mib", 1 << 20 }, { "g", 1 << 30 }, { "gb", 1 << 30 }, { "gib", 1 << 30 },
	{ "t", UINT64_C(1) << 40 }, { "tb", UINT64_C(1) << 40 }, { "tib", UINT64_C(1) << 40 }, { NULL, 0 },
};
static const struct unit thousands[] = {
	{ "", 1 }, { "k", 1000 }, { "%", 1 }, { NULL, 0 },
};

/* The units of a PERIOD, the longest first. */
static const struct unit periods[] = {
	{ "w", 604800 }, { "d", 86400 }, { "h", 3600 }, { "m", 60 }, { "s", 1 }, { NULL, 0 },
};

/* A period may end in w, d, h, m or s, and may be none. */
static bool
read_period(struct span value, uint64_t *number_out)
{
	uint64_t count;

	*number_out = 0;
	if (span_equals_nocase(value, SPAN("none")))
		return true;
	if (span_to_number(value, UINT32_MAX, number_out))
		return true;
	for (const struct unit *unit = periods; unit->name != NULL && value.length > 1; unit++) {
		if (!span_equals_nocase(span_from(value, value.length - 1), span_from_string(unit->name)))
			continue;
		if (!span_to_number(span_slice(value, 0, value.length - 1), UINT32_MAX, &count))
			return false;
		*number_out = count * unit->value;
		return true;
	}
	return false;
}

static void
print_period(uint64_t count_s, struct buffer *out)
{
	const struct unit *unit = &periods[1];	/* a week is seven days to most people */

	if (count_s == 0) {
		buffer_add_string(out, "none");
		return;
	}
	while (count_s % unit->value != 0)
		unit++;
	buffer_add_number(out, count_s / unit->value);
	buffer_add_string(out, unit->name);
}

/* A size may end in K, M, G or T. */
static bool
read_number(const struct option *option, struct span value, uint64_t *number_out)
{
	static const struct span units = SPAN("KMGT");
	unsigned shift = 0;
	size_t unit;

	if (option->kind == PERIOD)
		return read_period(value, number_out);
	if (option->kind == SIZE && value.length > 1) {
		unit = span_find(units, ascii_upper(value.at[value.length - 1]));
		if (unit < units.length) {
			shift = 10 * (unsigned)(unit + 1);
			value = span_slice(value, 0, value.length - 1);
		}
	}
	if (!span_to_number(value, UINT64_MAX >> shift, number_out))
		return false;
	*number_out <<= shift;
	return true;
}

void
number_print(const struct option *option, uint64_t number, struct buffer *out)
{
	static const char letters[] = "KMGT";
	unsigned unit = 0;

	if (option->kind == PERIOD) {
		print_period(number, out);
		return;
	}
	while (option->kind == SIZE && unit < 4 && number > 0 && number % 1024 == 0) {
		number /= 1024;
		unit++;
	}
	buffer_add_number(out, number);
	if (unit > 0)
		buffer_add_octet(out, (uint8_t)letters[unit - 1]);
}

/* Digits with marks between thousands, perhaps with one decimal place: in tenths.  Leaves what is behind them. */
static bool
take_tenths(struct span *text, uint64_t *tenths_out)
{
	bool is_decimal = false;
	uint64_t number = 0;
	size_t at = 0, digits = 0, decimals = 0;

	for (; at < text->length && number < UINT32_MAX; at++) {
		uint8_t octet = text->at[at];

		if (ascii_is_digit(octet) && decimals < 1) {
			number = number * 10 + (octet - '0');
			digits++;
			decimals += is_decimal;
		} else if (octet == '.' && !is_decimal) {
			is_decimal = true;
		} else if (octet != ',' && octet != '_' && octet != '\'') {
			break;
		}
	}
	*text = span_from(*text, at);
	*tenths_out = decimals > 0 ? number : number * 10;
	return digits > 0 && (!is_decimal || decimals > 0);
}

static const struct unit *
units_of(const struct option *option)
{
	if (option->kind == SECONDS || option->kind == PERIOD)
		return seconds;
	return option->kind == SIZE ? sizes : thousands;
}

/* "00:30:00", and "1.00:00:00" for days, as Exchange Server has it.  False: it is not such. */
static bool
guess_clock(struct span text, uint64_t *seconds_out)
{
	size_t dot = span_find(text, '.');
	uint64_t days = 0, part;
	unsigned parts = 0;

	if (dot < text.length && !span_to_number(span_slice(text, 0, dot), 3650, &days))
		return false;
	if (dot < text.length)
		text = span_from(text, dot + 1);
	for (*seconds_out = 0; text.length > 0; parts++) {
		struct span word = span_slice(text, 0, span_find(text, ':'));

		if (!span_to_number(word, 59, &part))
			return false;
		*seconds_out = *seconds_out * 60 + part;
		text = span_from(text, word.length + 1);
	}
	*seconds_out += days * 86400;
	return parts == 3;
}

/* "60s", "1.5G" and "10,000" as the number that they stand for. */
static bool
guess_number(const struct option *option, struct span text, uint64_t *number_out)
{
	bool is_time = option->kind == SECONDS || option->kind == PERIOD;
	uint64_t tenths;

	if (is_time && guess_clock(text, number_out))
		return *number_out >= option->least && *number_out <= option->most;
	if (!take_tenths(&text, &tenths))
		return false;
	for (const struct unit *unit = units_of(option); unit->name != NULL; unit++) {
		if (!span_equals_nocase(text, span_from_string(unit->name)))
			continue;
		*number_out = tenths * unit->value / 10;
		return *number_out >= option->least && *number_out <= option->most;
	}
	return false;
}

static bool
is_boundless(struct span value)
{
	static const char *const words[] = { "unlimited", "none", "infinity", "infinite", "no", "off", "-1", "max", "never",
		"forever" };

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (span_equals_nocase(value, span_from_string(words[i])))
			return true;
	return false;
}

static const char *
expected(const struct option *option)
{
	if (option->kind == SIZE)
		return "a size such as 512K, 64M or 1G";
	if (option->kind == SECONDS)
		return "a whole number of seconds";
	if (option->kind == PERIOD)
		return "a time such as 12h, 14d or none";
	return option->kind == AUTO_NUMBER ? "a whole number or \"auto\"" : "a whole number";
}

static bool
refuse_text(struct setting *setting)
{
	const struct option *option = setting->option;
	uint64_t number;

	option_refuse(setting, 1, expected(option));
	if (guess_number(option, setting->values[0], &number)) {
		buffer_add_string(setting->reason, "; did you mean \"");
		number_print(option, number, setting->reason);
		buffer_add_string(setting->reason, "\"?");
	} else if (is_boundless(setting->values[0]) && option->least == 0 && (option->kind == NUMBER || option->kind == SIZE)) {
		buffer_add_string(setting->reason, "; 0 is no limit");
	} else if (is_boundless(setting->values[0])) {
		buffer_add_string(setting->reason, "; the most is ");
		number_print(option, option->most, setting->reason);
	}
	return false;
}

static bool
refuse_range(struct setting *setting)
{
	const struct option *option = setting->option;
	struct buffer *reason = setting->reason;

	setting->word = 1;
	buffer_add_span(reason, setting->values[0]);
	if (option->least == option->most) {
		buffer_add_string(reason, " is not what this imapd knows, which is ");
		number_print(option, option->least, reason);
		return false;
	}
	buffer_add_string(reason, " is not between ");
	number_print(option, option->least, reason);
	buffer_add_string(reason, " and ");
	number_print(option, option->most, reason);
	return false;
}

bool
set_number(struct setting *setting)
{
	const struct option *option = setting->option;
	uint64_t number, *place = option_place(option, setting->config);

	if (option->kind == AUTO_NUMBER && span_equals(setting->values[0], SPAN("auto"))) {
		*place = 0;
		return true;
	}
	if (!read_number(option, setting->values[0], &number))
		return refuse_text(setting);
	if (number < option->least || number > option->most)
		return refuse_range(setting);
	*place = number;
	return true;
}
