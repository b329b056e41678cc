/*
 * Memory that is there or the process ends: running out is nobody's error to handle.  A size that a
 * peer chose meets a limit before it comes here.  Any thread.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

#include "base/span.h"

/*
 * From now on blocks of two megabytes and more go back to the system when they are freed.  glibc would raise that bound with
 * each that is, and each worker would keep what its largest job took.  What is smaller stays for what comes next, whichever
 * worker needs it: pages that go back and forth are emptied by the kernel each time.  For main(), before there are threads.
 */
void memory_return_large(void);

/*
 * Have so many octets at hand for what this thread allocates next: glibc would ask the kernel for each page alone.
 */
void memory_make_room(size_t octets);

/* Give zeroed memory; size 0 gives a valid pointer. */
void *memory_new(size_t size);

/* Give zeroed memory for count things; ends the process when the product overflows. */
void *memory_new_array(size_t count, size_t size);

/* As realloc(); what is added is not zeroed. */
void *memory_resize(void *memory, size_t count, size_t size);

/* Give a copy with a NUL behind it. */
char *memory_copy_string(const char *string);
char *memory_copy_span(struct span span);

/* Give what vprintf() would print. */
char *memory_print(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

/* Overwrite secrets so that the compiler cannot leave it out. */
void memory_wipe(void *memory, size_t size);

/* Compare secrets in a time that depends on length alone. */
bool memory_equals_secret(const void *a, const void *b, size_t length);

#define NEW(type) ((type *)memory_new(sizeof(type)))

#define CONTAINER_OF(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
