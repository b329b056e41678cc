/*
 * What setup says of its steps, to people or in the JSON object.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../ctl/order.h"
#include "../ctl/record.h"
#include "base/memory.h"
#include "step.h"

char *
setup_text(struct setup *setup, const char *format, ...)
{
	va_list arguments;
	char *copy, *printed;

	va_start(arguments, format);
	printed = memory_print(format, arguments);
	va_end(arguments);
	copy = arena_copy_string(setup->arena, span_from_string(printed));
	free(printed);
	return copy;
}

void
setup_tell(struct setup *setup, enum setup_state state, const char *format, ...)
{
	static const char *const words[] = { [SETUP_KEPT] = "kept", [SETUP_CHECKED] = "checked", [SETUP_MADE] = "made",
		[SETUP_CHANGED] = "changed" };
	static const char *const dry_words[] = { [SETUP_KEPT] = "would keep", [SETUP_CHECKED] = "would check",
		[SETUP_MADE] = "would make", [SETUP_CHANGED] = "would change" };
	const char *word = setup->is_dry ? dry_words[state] : words[state];
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = memory_print(format, arguments);
	va_end(arguments);
	setup->changes += state >= SETUP_MADE;
	order_say(setup->order, "%-*s %s", setup->is_dry ? 12 : 7, word, text);
	buffer_printf(&setup->steps, "%s{\"state\":\"%s\"", setup->steps.length > 0 ? "," : "", word);
	json_add_text(&setup->steps, "text", span_from_string(text));
	buffer_add_octet(&setup->steps, '}');
	free(text);
}

void
setup_show_password(struct setup *setup, struct span password)
{
	struct buffer *json = setup->order->json;

	if (json == NULL) {
		printf("        the password of %s is %.*s and is shown this once\n", setup->user, SPAN_ARGS(password));
		fflush(stdout);
		return;
	}
	buffer_add_string(json, ",\"password\":");
	json_add_string(json, password);
}
