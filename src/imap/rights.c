/*
 * Letters of rights: RFC 4314 sections 2.1 and 2.1.1.  Pure.
 */
#include "imap/rights.h"

#include "base/memory.h"

static const struct {
	char letter;
	unsigned rights;
} letters[] = {
	{ 'l', IMAP_RIGHT_LOOKUP },	{ 'r', IMAP_RIGHT_READ },	{ 's', IMAP_RIGHT_SEEN },
	{ 'w', IMAP_RIGHT_WRITE },	{ 'i', IMAP_RIGHT_INSERT },	{ 'p', IMAP_RIGHT_POST },
	{ 'k', IMAP_RIGHT_CREATE },	{ 'x', IMAP_RIGHT_DELETE },	{ 't', IMAP_RIGHT_DELETED },
	{ 'e', IMAP_RIGHT_EXPUNGE },	{ 'a', IMAP_RIGHT_ADMINISTER },
	/* Of RFC 2086, for clients that know no others. */
	{ 'c', IMAP_RIGHT_CREATE | IMAP_RIGHT_DELETE },
	{ 'd', IMAP_RIGHT_EXPUNGE | IMAP_RIGHT_DELETED },
};

static unsigned
rights_of(uint8_t letter)
{
	for (size_t i = 0; i < COUNT_OF(letters); i++)
		if (letters[i].letter == letter)
			return letters[i].rights;
	return 0;
}

bool
imap_rights_read(struct span text, unsigned *rights_out)
{
	unsigned rights = 0;

	for (size_t i = 0; i < text.length; i++) {
		if (rights_of(text.at[i]) == 0)
			return false;
		rights |= rights_of(text.at[i]);
	}
	*rights_out = rights;
	return true;
}

void
imap_rights_write(struct buffer *out, unsigned rights)
{
	for (size_t i = 0; i < COUNT_OF(letters); i++)
		if ((rights & letters[i].rights) != 0)
			buffer_add_octet(out, (uint8_t)letters[i].letter);
}
