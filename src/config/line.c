/*
 * What a line begins with, also where it is written as other programs have it: "name = value", "name: value" and
 * sections in braces.  Pure.
 */
#include "load.h"

#include "base/memory.h"

#define NAME_MAX_SHOWN 40	/* what is longer may be a line of a secret */

/* The words of a line from the one on, as they would have to be written. */
static void
add_words(const struct load *load, size_t from, struct buffer *out)
{
	for (size_t i = from; i < load->words.count; i++)
		buffer_printf(out, " %.*s", SPAN_ARGS(load_word(load, i)));
}

/* "=" and ":" are at home in other configurations; the line then counts as it was meant. */
static void
complain_about_sign(struct load *load, unsigned column, uint8_t sign, const char *name)
{
	struct buffer text = { 0 };

	buffer_printf(&text, "there is no \"%c\" between an option and its value; did you mean \"%s", sign, name);
	add_words(load, 1, &text);
	buffer_add_string(&text, "\"?");
	load_complain(load, CONFIG_WRONG, column, buffer_string(&text));
	buffer_free(&text);
}

void
line_drop_equals(struct load *load, const char *name)
{
	struct word *word = &load->words.at[1];
	unsigned column = word->column;
	uint8_t sign;

	if (load->words.count < 2 || word->is_quoted || word->text.length == 0 ||
	    (word->text.at[0] != '=' && !span_equals(load_word(load, 1), SPAN(":"))))
		return;
	sign = word->text.at[0];
	buffer_consume(&word->text, 1);
	word->column++;
	if (word->text.length == 0)
		words_remove(&load->words, 1);
	complain_about_sign(load, column, sign, name);
}

/* "name=value", "name= value" and "name: value": the name, and its value as a word of its own. */
static const char *
split_name(struct load *load)
{
	struct words *words = &load->words;
	struct span whole = load_word(load, 0);
	size_t end = span_find(whole, '=');
	struct span name, value;
	const char *meant;

	if (end == whole.length && end > 0 && whole.at[end - 1] == ':')
		end--;
	name = span_slice(whole, 0, end);
	value = span_from(whole, end + 1);
	if (end == whole.length || (meant = option_suggest(name)) == NULL)
		return NULL;
	if (value.length > 0 && words->count < WORDS_MAX - 1)
		words_insert(words, 1, value, words->at[0].column + (unsigned)end + 1);
	complain_about_sign(load, words->at[0].column, whole.at[end], meant);
	return meant;
}

/* "{" and "}", and what stands alone in brackets. */
static bool
is_section(const struct words *words)
{
	const struct word *last = &words->at[words->count - 1];
	struct span first = buffer_span(&words->at[0].text), text = buffer_span(&last->text);
	uint8_t end;

	if (last->is_quoted || text.length == 0)
		return false;
	end = text.at[text.length - 1];
	return end == '{' || span_equals(text, SPAN("}")) || (first.length > 0 &&
	    ((first.at[0] == '[' && end == ']') || (first.at[0] == '<' && end == '>')));
}

bool
line_has_section(struct load *load)
{
	if (!is_section(&load->words))
		return false;
	load_complain(load, CONFIG_WRONG, load->words.at[load->words.count - 1].column, "there are no sections: each line is an "
	    "option and its value");
	return true;
}

/* The name alone of "name:" and "name=value". */
static struct span
bare_name(struct span word)
{
	size_t end = span_find(word, '=');

	if (end == word.length && end > 1 && word.at[end - 1] == ':')
		end--;
	return end > 0 ? span_slice(word, 0, end) : word;
}

/* "set NAME" and "export NAME" are of shells. */
static bool
is_shell(const struct load *load)
{
	struct span first = load_word(load, 0);

	return load->words.count > 1 && (span_equals(first, SPAN("set")) || span_equals(first, SPAN("export"))) &&
	    option_find(bare_name(load_word(load, 1))) < OPTION_COUNT;
}

static bool
is_comment(struct span name)
{
	return name.length > 0 && strchr(";/!", name.at[0]) != NULL && !span_starts_with(name, SPAN("!include"));
}

/* What to say of a first word that is no option. */
static void
complain_unknown(struct load *load, const char *meant)
{
	struct span name = bare_name(load_word(load, 0));
	const char *own = NULL, *note = NULL;
	struct buffer text = { 0 };

	foreign_find(name, &own, &note);
	if (is_comment(name)) {
		buffer_add_string(&text, "a comment begins with \"#\"");
	} else if (name.length > NAME_MAX_SHOWN) {
		buffer_add_string(&text, "there is no option with so many letters");
	} else {
		buffer_add_string(&text, "there is no option ");
		config_quote(&text, name);
		if (meant != NULL)
			buffer_printf(&text, "; did you mean \"%s\"?", meant);
		else if (is_shell(load))
			buffer_add_string(&text, "; a line begins with the option");
		else
			buffer_printf(&text, "; %s", note != NULL ? note : "imapd.conf(5) has all that there are");
	}
	load_complain(load, CONFIG_WRONG, load->words.at[0].column, buffer_string(&text));
	buffer_free(&text);
}

const char *
line_find_name(struct load *load, bool *is_guess_out)
{
	struct span name = load_word(load, 0);
	size_t index = option_find(name);
	const char *meant;

	*is_guess_out = false;
	if (span_equals(name, SPAN("include")))
		return "include";
	if (index < OPTION_COUNT)
		return options[index].name;
	*is_guess_out = true;
	if ((meant = split_name(load)) != NULL)
		return meant;
	meant = is_shell(load) ? NULL : option_suggest(name);
	complain_unknown(load, meant);
	return meant;
}
