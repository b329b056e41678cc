/*
 * The verb completion: what a shell needs to finish words of imapctl, from the tables of verbs and options.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "../ctl/options.h"
#include "../ctl/record.h"
#include "base/memory.h"
#include "verbs.h"

#define OF_ALL (OPTION_BIT(OPTION_JSON) | OPTION_BIT(OPTION_TIMEOUT))

/*
 * Bash and zsh: the words before the cursor that are no options name a verb; a case of each says what may follow.  A value
 * behind "=" is none of them, and bash has it as two words.
 */
static const char bash_begin[] =
	"# Completion of imapctl(8) for bash.\n"
	"_imapctl() {\n"
	"	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} option= typed= more= i\n"
	"	if [[ $word == = ]]; then\n"
	"		option=$before= word=\n"
	"	elif [[ $before == = ]]; then\n"
	"		option=${COMP_WORDS[COMP_CWORD-2]}=\n"
	"	fi\n"
	"	for ((i = 1; i < COMP_CWORD; i++)); do\n"
	"		case ${COMP_WORDS[i]} in\n"
	"		=) ((i++)) ;;\n"
	"		-*) ;;\n"
	"		*) typed=\"$typed${COMP_WORDS[i]} \" ;;\n"
	"		esac\n"
	"	done\n"
	"	case $typed in\n";
static const char bash_end[] =
	"	esac\n"
	"	[[ $option$word == -* ]] || more=${more%%--*}\n"
	"	COMPREPLY=($(compgen -W \"$more\" -- \"$option$word\"))\n"
	"	COMPREPLY=(\"${COMPREPLY[@]#$option}\")\n"
	"	[[ $option ]] && compopt -o default\n"
	"	[[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
	"	return 0\n"
	"}\n"
	"complete -F _imapctl imapctl\n";
static const char zsh_begin[] =
	"#compdef imapctl\n"
	"# Completion of imapctl(8) for zsh.\n"
	"_imapctl() {\n"
	"	local typed= more= one\n"
	"	for one in ${words[2,CURRENT-1]}; do\n"
	"		[[ $one == -* ]] || typed=\"$typed$one \"\n"
	"	done\n"
	"	case $typed in\n";
static const char zsh_end[] =
	"	esac\n"
	"	[[ $PREFIX == -* ]] || more=${more%%--*}\n"
	"	for one in ${=more}; do\n"
	"		if [[ $one == *= ]]; then compadd -S '' -- $one; else compadd -- $one; fi\n"
	"	done\n"
	"	[[ $PREFIX == --*=* ]] && compset -P '*=' && _files\n"
	"}\n"
	"_imapctl \"$@\"\n";
static const char fish_begin[] =
	"# Completion of imapctl(8) for fish.\n"
	"function __imapctl_typed\n"
	"	set -l words (commandline -opc | string match -v -- '-*')\n"
	"	echo $words[2..]\n"
	"end\n"
	"function __imapctl_at\n"
	"	set -l typed (__imapctl_typed)\n"
	"	test \"$typed\" = \"$argv\"\n"
	"end\n"
	"function __imapctl_after\n"
	"	set -l typed (__imapctl_typed)\n"
	"	test \"$typed\" = \"$argv\"; or string match -q -- \"$argv *\" $typed\n"
	"end\n"
	"complete -c imapctl -f\n"
	"complete -c imapctl -l config -r -F -d 'the configuration of the server'\n"
	"complete -c imapctl -l help -d 'examples, usage and options'\n"
	"complete -c imapctl -l version -d 'the version'\n";

/* Whether an argument of the verb is a file. */
static bool
takes_file(const struct verb *verb)
{
	return strstr(verb->arguments, "PATH") != NULL || strstr(verb->arguments, "FILE") != NULL;
}

/* Add the words that may stand as arguments, as cas, mailbox and all: lower-case letters, and no option. */
static void
add_words(struct buffer *out, const struct verb *verb)
{
	const char *at = verb->arguments;

	while (*at != '\0') {
		size_t length = strcspn(at, " []|"), letters = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789");
		bool is_option = at[0] == '-' || (at[0] == '[' && at[1] == '-');

		if (is_option) {
			at += strcspn(at, " ");
		} else if (letters == length && length > 0) {
			buffer_printf(out, "%.*s ", (int)length, at);
			at += length;
		} else {
			at += length > 0 ? length : 1;
		}
	}
}

static bool
needs_value(const struct option_words *words)
{
	return words->value != NULL && words->otherwise == NULL;
}

/* Whether the value of an option is one of few words. */
static bool
is_choice(const struct option_words *words)
{
	return words->value != NULL && words->value[strspn(words->value, "abcdefghijklmnopqrstuvwxyz|")] == '\0';
}

/* One for each word of its value, if it has a few; otherwise "--name=", and "--name" if that can stand alone. */
static void
add_option(struct buffer *out, const struct option_words *words)
{
	const char *at = words->value;

	if (!needs_value(words))
		buffer_printf(out, "--%s ", words->name);
	else if (!is_choice(words))
		buffer_printf(out, "--%s= ", words->name);
	while (is_choice(words) && *at != '\0') {
		size_t length = strcspn(at, "|");

		buffer_printf(out, "--%s=%.*s ", words->name, (int)length, at);
		at += at[length] == '|' ? length + 1 : length;
	}
}

static void
add_options(struct buffer *out, order_set set)
{
	for (int i = 0; i < OPTION_COUNT; i++)
		if ((set & OPTION_BIT(i)) != 0)
			add_option(out, &order_options[i]);
}

/* Whether no verb before this one begins with the same word. */
static bool
is_first_of_word(const struct verb *all, const struct verb *verb)
{
	size_t length = strcspn(verb->name, " ");

	return verb == all || strncmp(verb[-1].name, verb->name, length) != 0 ||
	    (verb[-1].name[length] != ' ' && verb[-1].name[length] != '\0');
}

static void
add_first_words(struct buffer *out, const struct verb *all)
{
	for (const struct verb *verb = all; verb->name != NULL; verb++)
		if (is_first_of_word(all, verb))
			buffer_printf(out, "%.*s ", (int)strcspn(verb->name, " "), verb->name);
}

/* The second words of those that begin with one. */
static void
add_second_words(struct buffer *out, const struct verb *all, const char *first, size_t length)
{
	for (const struct verb *verb = all; verb->name != NULL; verb++)
		if (strncmp(verb->name, first, length) == 0 && verb->name[length] == ' ')
			buffer_printf(out, "%s ", verb->name + length + 1);
}

/* The cases of bash and zsh; what follows in both: more="..." ;; */
static void
add_cases(struct buffer *out, const struct verb *all, const char *files)
{
	buffer_add_string(out, "\t'') more='");
	add_first_words(out, all);
	buffer_add_string(out, "--config= --help --version' ;;\n");
	for (const struct verb *verb = all; verb->name != NULL; verb++) {
		size_t length = strcspn(verb->name, " ");

		if (verb->name[length] == ' ' && is_first_of_word(all, verb)) {
			buffer_printf(out, "\t'%.*s ') more='", (int)length, verb->name);
			add_second_words(out, all, verb->name, length);
			buffer_add_string(out, "--help' ;;\n");
		}
		buffer_printf(out, "\t'%s '*) more='", verb->name);
		add_words(out, verb);
		add_options(out, verb->options | OF_ALL);
		buffer_printf(out, "--config= --help'%s ;;\n", takes_file(verb) ? files : "");
	}
}

/* A text in single quotes of fish. */
static void
add_fish_text(struct buffer *out, const char *text)
{
	buffer_add_octet(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			buffer_add_octet(out, '\\');
		buffer_add_octet(out, (uint8_t)*text);
	}
	buffer_add_string(out, "'\n");
}

static void
add_fish_option(struct buffer *out, const struct verb *verb, const struct option_words *words)
{
	buffer_printf(out, "complete -c imapctl -n '__imapctl_after %s' -l %s%s", verb->name, words->name, needs_value(words) ? " -x" : "");
	if (is_choice(words)) {
		buffer_add_string(out, " -a '");
		for (const char *at = words->value; *at != '\0'; at++)
			buffer_add_octet(out, *at == '|' ? ' ' : (uint8_t)*at);
		buffer_add_octet(out, '\'');
	}
	buffer_add_string(out, " -d ");
	add_fish_text(out, words->purpose);
}

static void
add_fish(struct buffer *out, const struct verb *all)
{
	buffer_add_string(out, fish_begin);
	for (const struct verb *verb = all; verb->name != NULL; verb++) {
		size_t length = strcspn(verb->name, " ");
		bool is_pair = verb->name[length] == ' ';

		if (is_pair && is_first_of_word(all, verb))
			buffer_printf(out, "complete -c imapctl -n __imapctl_at -a %.*s\n", (int)length, verb->name);
		buffer_printf(out, "complete -c imapctl -n '__imapctl_at %.*s' -a %s -d ", is_pair ? (int)length : 0,
		    verb->name, verb->name + (is_pair ? length + 1 : 0));
		add_fish_text(out, verb->purpose);
		buffer_printf(out, "complete -c imapctl -n '__imapctl_after %s' %s -a '", verb->name, takes_file(verb) ? "-F" : "-f");
		add_words(out, verb);
		buffer_add_string(out, "'\n");
		for (int i = 0; i < OPTION_COUNT; i++)
			if (((verb->options | OF_ALL) & OPTION_BIT(i)) != 0)
				add_fish_option(out, verb, &order_options[i]);
	}
}

/* False: it is none of those. */
static bool
add_script(struct buffer *out, const struct verb *all, const char *shell)
{
	bool is_bash = strcmp(shell, "bash") == 0, is_zsh = strcmp(shell, "zsh") == 0;

	if (is_bash || is_zsh) {
		buffer_add_string(out, is_bash ? bash_begin : zsh_begin);
		add_cases(out, all, is_bash ? "; compopt -o default" : "; _files");
		buffer_add_string(out, is_bash ? bash_end : zsh_end);
	} else if (strcmp(shell, "fish") == 0) {
		add_fish(out, all);
	}
	return out->length > 0;
}

int
run_completion(const struct order *order)
{
	struct buffer script = { 0 };
	bool is_known = add_script(&script, order->verbs, order->words[0]);

	if (!is_known) {
		complain("usage: imapctl %s %s", order->verb->name, order->verb->arguments);
	} else if (order->json != NULL) {
		buffer_add_string(order->json, ",\"script\":");
		json_add_string(order->json, buffer_span(&script));
	} else {
		fwrite(script.at, 1, script.length, stdout);
	}
	buffer_free(&script);
	return is_known ? EX_OK : EX_USAGE;
}
