/*
 * What the verbs share: words for the operator, and the configuration.
 */
#include "order.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "config/config.h"
#include "imap/mailbox_name.h"

static char *last_complaint;

/* Names of files may hold what moves a terminal's cursor, and no octet of theirs need be UTF-8. */
static void
print_safely(const char *text)
{
	bool is_utf8 = imap_utf8_is_valid(span_from_string(text));

	for (; *text != '\0'; text++) {
		uint8_t octet = (uint8_t)*text;
		bool is_c1 = octet == 0xc2 && (uint8_t)text[1] < 0xa0;

		if (octet < ' ' || octet == 0x7f || is_c1 || (octet > 0x7f && !is_utf8))
			fprintf(stderr, "\\x%02x", octet);
		else
			fputc(octet, stderr);
		if (is_c1 && is_utf8)
			fprintf(stderr, "\\x%02x", (uint8_t)*++text);
	}
}

void
complain(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = memory_print(format, arguments);
	va_end(arguments);
	fputs("imapctl: ", stderr);
	print_safely(text);
	fputc('\n', stderr);
	free(last_complaint);
	last_complaint = text;
}

const char *
complaint(void)
{
	return last_complaint;
}

const char *
order_value(const struct order *order, enum order_option option)
{
	size_t i = order->value_count;

	while (i > 0 && order->values[i - 1].option != option)
		i--;
	return i > 0 ? order->values[i - 1].text : NULL;
}

void
order_say(const struct order *order, const char *format, ...)
{
	va_list arguments;

	if (order->json != NULL)
		return;
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

/* config is freed when it is of no use. */
static struct config *
report(const struct order *order, struct config *config, struct config_problems *problems, bool is_good)
{
	struct buffer lines = { 0 };

	if (!is_good) {
		config_problems_print(problems, &lines);
		fwrite(lines.at, 1, lines.length, stderr);
		complain("%s cannot be used; see imapd.conf(5)", order->config_path);
		config_free(&config);
	}
	buffer_free(&lines);
	config_problems_free(problems);
	return config;
}

struct config *
order_config(const struct order *order)
{
	struct config_problems problems = { 0 };
	struct config *config = config_load(order->config_path, config_read_file, NULL, &problems);

	return report(order, config, &problems, config_problems_count(&problems, CONFIG_WRONG) == 0);
}

struct config *
order_find_server(const struct order *order)
{
	struct config_problems problems = { 0 };
	struct config *config = config_load(order->config_path, config_read_file, NULL, &problems);

	return report(order, config, &problems, config != NULL && config_is_usable(config, "control-socket"));
}
