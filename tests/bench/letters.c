/*
 * Letters for the search rows: as mail is, and all from a seed, so that every run has the same.  Words are made of
 * syllables, for six scripts, and come as often as words do (Zipf's law); some rare ones are put in on purpose, so that
 * it is known what a search finds.
 *
 *	letters COUNT [MEDIAN [SPREAD [FIRST [END [MAILBOX]]]]]	writes messages FIRST to END - 1 of COUNT as commands APPEND,
 *							each with many messages and with the tag "t"
 *	letters COUNT words				writes what to search for: a line for each kind, its name first
 *
 * MEDIAN is in octets (8000); SPREAD is the deviation of the size's logarithm (1.5: the mean is three times the median).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "words.h"

#define PEOPLE		2000
#define LISTS		300
#define NEEDLES		64
#define NEEDLE_PERCENT	20		/* of messages have one: each is in some three of a thousand */
#define EPOCH_S		1546300800	/* 2019-01-01 */
#define YEARS_S		157680000	/* five years, for all messages */
#define BATCH_OCTETS	(4 << 20)	/* of one command */
#define BATCH_MESSAGES	500
#define SIZE_MAX_OCTETS 4600000
#define SHORT_OCTETS	2000		/* a median below: nobody has relayed, signed or rated them */
#define CHAIN_MAX	12

/* ---- who writes, and about what ------------------------------------------------------------------------- */

static void
capitalize(char *word)
{
	if (word[0] >= 'a' && word[0] <= 'z')
		word[0] -= 'a' - 'A';
}

struct person {
	char name[300], mailbox[150], host[150];
};

static void
introduce(struct person *person, unsigned number)
{
	struct chance chance = chance_of(OF_PERSON, number);
	const struct language *language = any_language(&chance);
	char given[128], family[128];

	strcpy(given, make_word(&chance, language, 2));
	strcpy(family, make_word(&chance, language, 3));
	capitalize(given);
	capitalize(family);
	snprintf(person->name, sizeof person->name, "%s %s", given, family);
	snprintf(person->mailbox, sizeof person->mailbox, "%s.%u", make_word(&chance, latin, 2), number);
	snprintf(person->host, sizeof person->host, "%s.example.%s",
	    make_word(&chance, latin, 2 + number % 2), number % 3 == 0 ? "org" : number % 3 == 1 ? "com" : "net");
}

static void
add_person(struct text *text, unsigned number)
{
	struct person person;

	introduce(&person, number);
	add_encoded(text, person.name);
	ADDF(text, " <%s@%s>", person.mailbox, person.host);
}

/* What a message answers: one of the some hundred before it; or itself, when it begins a thread. */
static unsigned
parent_of(unsigned number)
{
	struct chance chance = chance_of(OF_PARENT, number);

	if (number < 200 || percent(&chance, 40))
		return number;
	return number - 1 - rank(&chance, 199);
}

static unsigned
sender_of(unsigned number)
{
	struct chance chance = chance_of(OF_THREAD, number);

	return rank(&chance, PEOPLE);
}

static void
add_message_id(struct text *text, unsigned number)
{
	struct person person;
	struct chance chance = chance_of(OF_THREAD, UINT64_C(1) << 32 | number);

	introduce(&person, sender_of(number));
	ADDF(text, "<%08x.%u@%s>", (unsigned)draw(&chance), number, person.host);
}

static unsigned
root_of(unsigned number)
{
	while (parent_of(number) != number)
		number = parent_of(number);
	return number;
}

static void
add_subject(struct text *text, struct chance *chance, unsigned number)
{
	unsigned root = root_of(number), words;
	struct chance of_root = chance_of(OF_THREAD, UINT64_C(2) << 32 | root);
	const struct language *language = any_language(&of_root);
	char subject[1024] = "";

	if (root != number)
		strcat(subject, percent(chance, 90) ? "Re: " : percent(chance, 50) ? "Fwd: " : "AW: ");
	if (percent(&of_root, 20))
		sprintf(subject + strlen(subject), "[%s] ", any_word(&of_root, latin));
	words = 2 + below(&of_root, 6);
	for (unsigned i = 0; i < words; i++) {
		strcat(subject, any_word(&of_root, language));
		strcat(subject, language_has_spaces(language) && i + 1 < words ? " " : "");
	}
	if (percent(&of_root, NEEDLE_PERCENT))
		sprintf(subject + strlen(subject), " %s", needle(below(&of_root, NEEDLES)));
	add(text, "Subject: ");
	add_encoded(text, subject);
	add(text, "\r\n");
}

/* ---- when ----------------------------------------------------------------------------------------------- */

static time_t
arrival_of(unsigned number, unsigned count)
{
	return EPOCH_S + (time_t)((uint64_t)number * YEARS_S / count);
}

static const char *
format_time(time_t when, const char *format)
{
	static char out[64];
	struct tm tm;

	strftime(out, sizeof out, format, gmtime_r(&when, &tm));
	return out;
}

/* Some clocks are wrong, and some mail takes long. */
static time_t
sent_of(unsigned number, unsigned count)
{
	struct chance chance = chance_of(OF_THREAD, UINT64_C(3) << 32 | number);
	time_t arrival = arrival_of(number, count);

	return percent(&chance, 2) ? arrival - below(&chance, 90 * 86400) : arrival - below(&chance, 600);
}

/* ---- the header ----------------------------------------------------------------------------------------- */

static void
add_references(struct text *text, unsigned number)
{
	unsigned chain[CHAIN_MAX], length = 0;

	for (unsigned at = number; parent_of(at) != at && length < CHAIN_MAX;)
		chain[length++] = at = parent_of(at);
	if (length == 0)
		return;
	add(text, "In-Reply-To: ");
	add_message_id(text, chain[0]);
	add(text, "\r\nReferences:");
	while (length > 0) {
		add(text, "\r\n ");
		add_message_id(text, chain[--length]);
	}
	add(text, "\r\n");
}

static void
add_trace(struct text *text, struct chance *chance, time_t when)
{
	const char *name = make_word(chance, latin, 2);
	uint64_t bits = draw(chance);

	ADDF(text, "Received: from %s.example.net (mx%u.example.net [198.51.%u.%u])\r\n\tby relay%u.example.org (Postfix) with "
	    "ESMTPS id %010llX\r\n\tfor <bench@example.org>; %s\r\n", name, (unsigned)(bits >> 60), (unsigned)(bits >> 52 & 255),
	    (unsigned)(bits >> 44 & 255), (unsigned)(bits >> 40 & 15), (unsigned long long)(bits & 0xffffffffff),
	    format_time(when, "%a, %d %b %Y %H:%M:%S +0000"));
}

static void
add_signature(struct text *text, struct chance *chance, const char *host)
{
	ADDF(text, "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=s%u;\r\n"
	    "\th=from:to:subject:date:message-id:mime-version:content-type;\r\n\tbh=", host, below(chance, 9));
	add_noise(text, chance, 44);
	add(text, "\tb=");
	for (int line = 0; line < 4; line++) {
		add_noise(text, chance, 72);
		add(text, line < 3 ? "\t" : "");
	}
}

static void
add_list(struct text *text, unsigned list)
{
	struct chance chance = chance_of(OF_PERSON, UINT64_C(1) << 32 | list);
	const char *name = make_word(&chance, latin, 3);

	ADDF(text, "List-Id: %s discussions <%s-%u.lists.example.org>\r\nList-Post: <mailto:%s-%u@lists.example.org>\r\n"
	    "List-Unsubscribe: <https://lists.example.org/%s-%u/leave>,\r\n\t<mailto:%s-%u-leave@lists.example.org>\r\n"
	    "List-Archive: <https://lists.example.org/%s-%u/archive>\r\nPrecedence: list\r\n", name, name, list, name, list, name, list,
	    name, list, name, list);
}

static void
add_extras(struct text *text, struct chance *chance)
{
	static const char *const agents[] = { "Mozilla Thunderbird", "Apple Mail (2.3654)", "Microsoft Outlook 16.0", "mutt/2.2.9", "Roundcube" };
	unsigned count = below(chance, 14), score = below(chance, 50);

	add(text, percent(chance, 50) ? "X-Mailer: " : "User-Agent: ");
	ADDF(text, "%s\r\nX-Spam-Status: No, score=-%u.%u required=5.0 tests=BAYES_00,DKIM_SIGNED,\r\n"
	    "\tDKIM_VALID,SPF_PASS autolearn=ham\r\n", agents[rank(chance, 5)], score / 10, score % 10);
	for (unsigned i = 0; i < count; i++) {
		ADDF(text, "X-%c%s-", 'A' + (char)i, any_word(chance, latin));
		ADDF(text, "%s: ", any_word(chance, latin));
		ADDF(text, "%s ", any_word(chance, latin));
		ADDF(text, "%08x\r\n", (unsigned)draw(chance));
	}
}

static void
add_header(struct text *text, struct chance *chance, unsigned number, unsigned count, bool is_short)
{
	struct person sender;
	time_t sent = sent_of(number, count);
	unsigned hops = is_short ? 1 : 2 + below(chance, 5);

	introduce(&sender, sender_of(number));
	ADDF(text, "Return-Path: <%s@%s>\r\nDelivered-To: bench@example.org\r\n", sender.mailbox, sender.host);
	for (unsigned i = 0; i < hops; i++)
		add_trace(text, chance, sent + (time_t)(hops - i) * 3);
	if (!is_short && percent(chance, 80))
		add_signature(text, chance, sender.host);
	ADDF(text, "Authentication-Results: mx.example.org; dkim=pass header.d=%s;\r\n\tspf=pass smtp.mailfrom=%s\r\n", sender.host, sender.host);
	add(text, "Message-ID: ");
	add_message_id(text, number);
	ADDF(text, "\r\nDate: %s\r\nFrom: ", format_time(sent, "%a, %d %b %Y %H:%M:%S +0000"));
	add_person(text, sender_of(number));
	add(text, "\r\nTo: ");
	add_person(text, rank(chance, PEOPLE));
	for (unsigned others = below(chance, 3); others > 0; others--) {
		add(text, ",\r\n\t");
		add_person(text, rank(chance, PEOPLE));
	}
	add(text, "\r\n");
	if (percent(chance, 25)) {
		add(text, "Cc: ");
		add_person(text, rank(chance, PEOPLE));
		add(text, "\r\n");
	}
	add_subject(text, chance, number);
	add_references(text, number);
	if (percent(chance, 45))
		add_list(text, rank(chance, LISTS));
	if (!is_short)
		add_extras(text, chance);
	add(text, "MIME-Version: 1.0\r\n");
}

/* ---- the body ------------------------------------------------------------------------------------------- */

static void
add_text_part(struct text *text, struct chance *chance, const char *subtype, const struct text *content)
{
	bool is_plain = is_ascii(content->at, content->length);
	unsigned way = is_plain ? 0 : below(chance, 3);
	static const char *const encodings[] = { "8bit", "quoted-printable", "base64" };

	ADDF(text, "Content-Type: text/%s; charset=%s\r\nContent-Transfer-Encoding: %s\r\n\r\n", subtype,
	    is_plain ? "us-ascii" : "UTF-8", is_plain ? "7bit" : encodings[way]);
	if (way == 1)
		add_quoted_printable(text, content->at, content->length);
	else if (way == 2)
		add_base64(text, content->at, content->length, true);
	else
		add_octets(text, content->at, content->length);
}

static void
write_content(struct text *content, struct chance *chance, const struct language *language, size_t length)
{
	content->length = 0;
	add_words(content, chance, language, length / 2);
	if (percent(chance, NEEDLE_PERCENT))
		ADDF(content, "%s\r\n", needle(below(chance, NEEDLES)));
	ADDF(content, "https://www.example.org/%s/", any_word(chance, latin));
	ADDF(content, "?id=%016llx\r\n", (unsigned long long)draw(chance));
	add_words(content, chance, language, length - length / 2);
}

static void
write_page(struct text *page, const struct text *content)
{
	page->length = 0;
	add(page, "<html><head><style>p { margin: 0 0 1em; font-family: sans-serif }</style></head><body>\r\n<p class=\"text\">");
	for (size_t i = 0; i < content->length; i++) {
		if (content->at[i] == '\n' && i + 2 < content->length && content->at[i + 1] == '\r')
			add(page, "\n</p><p class=\"text\">");
		else
			add_octets(page, &content->at[i], 1);
	}
	add(page, "</p></body></html>\r\n");
}

/* Up to 12 KB all is text; of more, most is attachments. */
static void
add_body(struct text *text, struct chance *chance, unsigned number, size_t size)
{
	static struct text content, page;
	const struct language *language = any_language(chance);
	bool is_long = percent(chance, 8), has_page = percent(chance, 40);
	size_t length = size < 12000 || is_long ? size : 3000 + below(chance, 8000), begun = text->length;

	if (length > 300000)
		length = 300000;
	write_content(&content, chance, language, has_page ? length * 2 / 5 : length);
	if (size >= 12000)
		ADDF(text, "Content-Type: multipart/mixed; boundary=\"m%u\"\r\n\r\n--m%u\r\n", number, number);
	if (has_page) {
		write_page(&page, &content);
		ADDF(text, "Content-Type: multipart/alternative; boundary=\"a%u\"\r\n\r\n--a%u\r\n", number, number);
		add_text_part(text, chance, "plain", &content);
		ADDF(text, "\r\n--a%u\r\n", number);
		add_text_part(text, chance, "html", &page);
		ADDF(text, "\r\n--a%u--\r\n", number);
	} else {
		add_text_part(text, chance, "plain", &content);
	}
	if (size >= 12000) {
		size_t used = text->length - begun;
		const char *name = any_word(chance, latin);

		ADDF(text, "\r\n--m%u\r\nContent-Type: application/pdf; name=\"%s.pdf\"\r\nContent-Transfer-Encoding: base64\r\n"
		    "Content-Disposition: attachment; filename=\"%s.pdf\"\r\n\r\n", number, name, name);
		add_noise(text, chance, used < size ? size - used : 1000);
		ADDF(text, "\r\n--m%u--\r\n", number);
	}
}

static size_t
size_of(unsigned number, double median, double spread)
{
	struct chance chance = chance_of(OF_SIZE, number);
	double size = median * exp(spread * normal(&chance));

	return size > SIZE_MAX_OCTETS ? SIZE_MAX_OCTETS : size < 500 ? 500 : (size_t)size;
}

static void
write_letter(struct text *text, unsigned number, unsigned count, double median, double spread)
{
	struct chance chance = chance_of(OF_MESSAGE, number);
	size_t size = size_of(number, median, spread);

	text->length = 0;
	add_header(text, &chance, number, count, median < SHORT_OCTETS);
	add_body(text, &chance, number, size > text->length + 300 ? size - text->length : 300);
}

static void
write_commands(unsigned count, double median, double spread, unsigned first, unsigned end, const char *mailbox)
{
	struct text letter = { 0 };
	size_t octets = 0, messages = 0;

	for (unsigned number = first; number < end; number++) {
		struct chance chance = chance_of(OF_THREAD, UINT64_C(4) << 32 | number);
		bool is_seen = percent(&chance, 70), is_labelled = percent(&chance, 5);

		write_letter(&letter, number, count, median, spread);
		if (messages == 0)
			printf("t APPEND %s", mailbox);
		printf(" (%s%s%s) \"%s\" {%zu+}\r\n", is_seen ? "\\Seen" : "", is_seen && is_labelled ? " " : "",
		    is_labelled ? "$Label1" : "",
		    format_time(arrival_of(number, count), "%d-%b-%Y %H:%M:%S +0000"), letter.length);
		fwrite(letter.at, 1, letter.length, stdout);
		octets += letter.length;
		if (++messages == BATCH_MESSAGES || octets > BATCH_OCTETS || number + 1 == end) {
			printf("\r\n");
			octets = messages = 0;
		}
	}
}

/* ---- what to search for --------------------------------------------------------------------------------- */

static void
write_needles(const char *name, unsigned first)
{
	printf("%s", name);
	for (unsigned i = 0; i < NEEDLES / 2; i++)
		printf(" %s", needle(first + i));
	printf("\n");
}

static void
write_searches(unsigned count)
{
	struct text id = { 0 };
	struct person person;

	write_needles("body", 0);
	write_needles("text", NEEDLES / 2);
	write_needles("subject", 0);
	write_needles("miss", NEEDLES);
	printf("from");
	for (unsigned i = 0; i < NEEDLES / 2; i++) {
		introduce(&person, 60 + i);
		printf(" %s", person.mailbox);
	}
	printf("\nlist");
	for (unsigned i = 0; i < NEEDLES / 2; i++) {
		struct chance chance = chance_of(OF_PERSON, UINT64_C(1) << 32 | (20 + i));

		printf(" %s-%u", make_word(&chance, latin, 3), 20 + i);
	}
	printf("\nmessage-id");
	for (unsigned i = 0; i < NEEDLES / 2; i++) {
		id.length = 0;
		add_message_id(&id, (unsigned)((uint64_t)count * (i + 1) / (NEEDLES / 2 + 1)));
		printf(" %.*s", (int)id.length, id.at);
	}
	printf("\nsince");
	for (unsigned i = 0; i < NEEDLES / 2; i++)
		printf(" %s", format_time(arrival_of((unsigned)((uint64_t)count * (1000 - 2 * i) / 1100), count), "%d-%b-%Y"));
	printf("\n");
}

int
main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;

	if (count == 0) {
		fprintf(stderr, "usage: letters COUNT [MEDIAN [SPREAD [FIRST [END [MAILBOX]]]]]\n       letters COUNT words\n");
		return 64;
	}
	learn_all();
	if (argc > 2 && strcmp(argv[2], "words") == 0)
		write_searches(count);
	else
		write_commands(count, argc > 2 ? atof(argv[2]) : 8000, argc > 3 ? atof(argv[3]) : 1.5,
		    argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 0, argc > 5 ? (unsigned)strtoul(argv[5], NULL, 10) : count,
		    argc > 6 ? argv[6] : "INBOX");
	return 0;
}
