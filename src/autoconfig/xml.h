/*
 * Writing XML: elements with text in them, at a depth.
 */
#ifndef XML_H
#define XML_H

#include "base/buffer.h"

/* Append text with its five special characters as references. */
void xml_add_text(struct buffer *out, struct span text);

/* Append "<name>text</name>" on a line of its own. */
void xml_add_element(struct buffer *out, unsigned depth, const char *name, struct span text);
void xml_add_number(struct buffer *out, unsigned depth, const char *name, unsigned number);

/* Append "<words>", or "</name>" as words with the slash, on a line of its own. */
void xml_add_tag(struct buffer *out, unsigned depth, const char *words);

#endif
