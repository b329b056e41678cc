/*
 * What a user or a group may be called.  A name never becomes a path, so little is forbidden: what nobody could
 * see or type, and what would make two lines of a log out of one.  Pure.
 */
#include "directory/directory.h"

/* Read one character of UTF-8 (RFC 3629 section 4); 0 on anything that is not well-formed. */
static size_t
read_character(struct span text, uint32_t *character_out)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t least;
	} forms[] = {
		{ 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 },
	};

	for (size_t form = 0; form < 4; form++) {
		uint32_t character = text.at[0] & (uint8_t)~forms[form].mask;

		if ((text.at[0] & forms[form].mask) != forms[form].lead)
			continue;
		if (text.length <= form)
			return 0;
		for (size_t i = 1; i <= form; i++) {
			if ((text.at[i] & 0xc0) != 0x80)
				return 0;
			character = character << 6 | (text.at[i] & 0x3f);
		}
		*character_out = character;
		return character >= forms[form].least ? form + 1 : 0;
	}
	return 0;
}

static bool
is_permitted(uint32_t character)
{
	if (character <= 0x20 || (character >= 0x7f && character <= 0xa0))
		return false;	/* controls and spaces */
	if (character >= 0xd800 && character <= 0xdfff)
		return false;	/* surrogates */
	if ((character >= 0x2000 && character <= 0x200f) ||
	    (character >= 0x2028 && character <= 0x202f) ||
	    (character >= 0x205f && character <= 0x206f) || character == 0x3000 ||
	    character == 0xfeff)
		return false;	/* spaces, line ends, and what turns the direction of writing */
	return character <= 0x10ffff && (character & 0xfffe) != 0xfffe &&
	    !(character >= 0xfdd0 && character <= 0xfdef);
}

static bool
prepare(struct span name, bool may_have_spaces, struct directory_name *name_out)
{
	if (name.length == 0 || name.length > DIRECTORY_NAME_MAX)
		return false;
	for (size_t at = 0; at < name.length;) {
		uint32_t character;
		size_t length = read_character(span_from(name, at), &character);

		if (length == 0 || (!is_permitted(character) && !(may_have_spaces && character == ' ')))
			return false;
		at += length;
	}
	for (size_t at = 0; at < name.length; at++)
		name_out->text[at] = (char)ascii_lower(name.at[at]);
	name_out->text[name.length] = '\0';
	name_out->length = name.length;
	return true;
}

/* What stands for others than one user where rights are given: RFC 4314 section 2, and "$" before a group. */
static bool
is_identifier_of_many(struct span name)
{
	return name.at[0] == '$' || name.at[0] == '-' || span_equals(name, SPAN("anyone")) ||
	    span_equals(name, SPAN("authenticated"));
}

bool
directory_prepare_name(struct span name, struct directory_name *name_out)
{
	return prepare(name, false, name_out) && !is_identifier_of_many(directory_name_span(name_out));
}

bool
directory_prepare_new_name(struct span name, struct directory_name *name_out)
{
	return directory_prepare_name(name, name_out) && name.at[name.length - 1] != '@';
}

bool
directory_prepare_alias(struct span alias, struct directory_name *name_out)
{
	return directory_prepare_new_name(alias, name_out);
}

bool
directory_prepare_group(struct span name, struct directory_name *name_out)
{
	return prepare(span_trim(name), true, name_out);
}

bool
directory_home_is_foreign(struct span home)
{
	return span_starts_with_nocase(home, SPAN("imap://")) || span_starts_with_nocase(home, SPAN("imaps://"));
}
