/*
 * An octet after the other, so that where pieces are cut changes nothing.  Any thread.
 */
#include "charset_shift.h"

#include "base/memory.h"

#define ESCAPE	  0x1B
#define SHIFT_OUT 0x0E
#define SHIFT_IN  0x0F

static const struct {
	const char *escape;
	int set;
} escapes[] = {
	{ "\033(B", SHIFT_ASCII }, { "\033(J", SHIFT_ROMAN }, { "\033(H", SHIFT_ROMAN }, { "\033(I", SHIFT_KATAKANA },
	{ "\033$@", SHIFT_DOUBLE }, { "\033$B", SHIFT_DOUBLE }, { "\033$(@", SHIFT_DOUBLE }, { "\033$(B", SHIFT_DOUBLE },
	{ "\033$(D", SHIFT_SUPPLEMENT },
};

/* What was begun will not be ended. */
static void
drop(struct charset_shift *shift, struct buffer *out)
{
	if (shift->first != 0 || shift->escape_length > 0)
		buffer_add_octet(out, CHARSET_SHIFT_INVALID);
	shift->first = 0;
	shift->escape_length = 0;
}

static void
add_pair(struct charset_shift *shift, uint8_t octet, struct buffer *out)
{
	if (shift->first == 0) {
		shift->first = octet;
		return;
	}
	if (shift->set == SHIFT_SUPPLEMENT)
		buffer_add_octet(out, 0x8F);
	buffer_add_octet(out, shift->first | 0x80);
	buffer_add_octet(out, octet | 0x80);
	shift->first = 0;
}

/* JIS X 0201 has a yen sign and a line above in the place of "\" and "~". */
static void
add_roman(uint8_t octet, struct buffer *out)
{
	if (octet == '\\' || octet == '~')
		buffer_add_span(out, octet == '\\' ? SPAN("\xA1\xEF") : SPAN("\xA1\xB1"));
	else
		buffer_add_octet(out, octet);
}

/* An octet of the set in which the text is. */
static void
add(struct charset_shift *shift, uint8_t octet, struct buffer *out)
{
	bool is_graphic = octet > ' ' && octet < 0x7F;

	if (octet >= 0x80) {
		drop(shift, out);
		buffer_add_octet(out, CHARSET_SHIFT_INVALID);
	} else if (is_graphic && shift->set >= SHIFT_DOUBLE) {
		add_pair(shift, octet, out);
	} else if (is_graphic && shift->set == SHIFT_KATAKANA) {
		buffer_add_octet(out, 0x8E);
		buffer_add_octet(out, octet | 0x80);
	} else if (shift->set == SHIFT_ROMAN) {
		add_roman(octet, out);
	} else {
		drop(shift, out);
		buffer_add_octet(out, octet);
	}
	if (octet == '\n')
		shift->set = SHIFT_ASCII;
}

/* One octet of an escape sequence; one that is none is dropped, and the text goes on with this octet. */
static void
add_escape(struct charset_shift *shift, uint8_t octet, struct buffer *out)
{
	bool is_begun = false;

	shift->escape[shift->escape_length++] = octet;
	for (size_t i = 0; i < COUNT_OF(escapes); i++) {
		if (memcmp(escapes[i].escape, shift->escape, shift->escape_length) != 0)
			continue;
		is_begun = true;
		if (escapes[i].escape[shift->escape_length] == '\0') {
			shift->set = escapes[i].set;
			shift->escape_length = 0;
			return;
		}
	}
	if (!is_begun) {
		drop(shift, out);
		add(shift, octet, out);
	}
}

static void
add_japanese(struct charset_shift *shift, uint8_t octet, struct buffer *out)
{
	if (octet == ESCAPE) {
		drop(shift, out);
		add_escape(shift, octet, out);
	} else if (shift->escape_length > 0) {
		add_escape(shift, octet, out);
	} else if (octet == SHIFT_OUT || octet == SHIFT_IN) {
		drop(shift, out);
		shift->set = octet == SHIFT_OUT ? SHIFT_KATAKANA : SHIFT_ASCII;
	} else {
		add(shift, octet, out);
	}
}

/* Behind "~". */
static void
add_tilde(struct charset_shift *shift, uint8_t octet, struct buffer *out)
{
	shift->escape_length = 0;
	if (octet == '{') {
		shift->set = SHIFT_DOUBLE;
	} else if (octet == '}') {
		shift->set = SHIFT_ASCII;
	} else if (octet != '\n') {		/* which is no line end */
		buffer_add_octet(out, '~');
		if (octet != '~')
			add(shift, octet, out);
	}
}

static void
add_chinese(struct charset_shift *shift, uint8_t octet, struct buffer *out)
{
	if (shift->escape_length > 0)
		add_tilde(shift, octet, out);
	else if (octet == '~' && shift->first == 0)
		shift->escape_length = 1;
	else
		add(shift, octet, out);
}

void
charset_shift(struct charset_shift *shift, enum charset_kind kind, struct span piece, bool is_last, struct buffer *out)
{
	for (size_t i = 0; i < piece.length; i++) {
		if (kind == CHARSET_HZ)
			add_chinese(shift, piece.at[i], out);
		else
			add_japanese(shift, piece.at[i], out);
	}
	if (!is_last)
		return;
	drop(shift, out);
	shift->set = SHIFT_ASCII;
}
