/*
 * The parts of a message: where each begins and ends, and what its header says of it.  RFC 2045, 2046,
 * 2183.  Any octets make a tree; time is linear, nothing recurses.  Any thread (a compute worker); pure.
 */
#ifndef MIME_PART_H
#define MIME_PART_H

#include "base/arena.h"
#include "mime/decode.h"

#define MIME_DEPTH_MAX	    100		/* multiparts and messages around a part; deeper is one opaque leaf */
#define MIME_PARTS_MAX	    10000	/* what comes after belongs to the last one */
#define MIME_PARAMETERS_MAX 128
#define MIME_NO_PART	    UINT32_MAX

enum mime_kind {
	MIME_LEAF,
	MIME_MULTIPART,		/* has one or more children */
	MIME_MESSAGE		/* message/rfc822 or message/global: one child, the message inside */
};

struct mime_parameter {
	struct span name, value;	/* unquoted, on one line; the sections of RFC 2231 joined */
};

struct mime_parameters {
	const struct mime_parameter *at;
	size_t count;
};

/*
 * One part.  Offsets count from the message's first octet.  The body follows the header at once.  The
 * child of a MIME_MESSAGE part is the message inside: its header is a message header, its body is TEXT.
 * Spans live as long as the tree or the message; a field that is missing is an empty span.
 */
struct mime_part {
	enum mime_kind kind;
	uint32_t header_offset, header_length;	/* through the empty line */
	uint32_t body_offset, body_length;
	uint32_t body_lines;			/* LFs in the body */
	uint32_t parent, first_child, next;	/* indices, or MIME_NO_PART */
	uint32_t last_child;
	struct span type, subtype;		/* as written; defaults by RFC 2045 section 5.2; never empty */
	struct mime_parameters parameters;
	struct span encoding_name;		/* as written, "7bit" if missing */
	enum mime_encoding encoding;
	struct span id, description, md5;	/* on one line */
	struct span disposition;
	struct mime_parameters disposition_parameters;
	struct span language, location;		/* as written, on one line */
};

/*
 * All parts, each before its children, children in order; parts[0] is the message itself.
 * A multipart in which no delimiter is found has one text/plain child that is its whole body; one that is closed
 * before any part begins has one of no octets.
 */
struct mime_tree {
	struct arena *arena;
	struct mime_part *parts;
	size_t count, capacity;
};

/* Parse a message of at most 2^32-1 octets, borrowed until mime_tree_fini(). */
void mime_tree_init(struct mime_tree *tree, struct span message);

/* Accepts a zeroed tree, leaves a zeroed one behind. */
void mime_tree_fini(struct mime_tree *tree);

/*
 * The value of a parameter, case of its name ignored, or an empty span.  Of name*=charset'language'value (RFC 2231) the
 * value as it is written, where there is no name= beside it.
 */
struct span mime_parameter_find(struct mime_parameters parameters, struct span name);

#endif
