/*
 * base64 as bits, and back.  Any thread.
 */
#include "base64.h"

#include <pthread.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "base128.h"

#define LINE_LEAST 16	/* letters, of lines that are looked at */
#define LINES_LEAST 4	/* whole ones in a row */
#define NO_LETTER  0x80
#define CRLF_OCTETS 2

#define BLOCK_LETTERS 32	/* that are read together */
#define BLOCK_WRITTEN 32	/* octets, of which the last eight are no bits of theirs */

static const uint8_t letters[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static struct {
	pthread_once_t once;
	uint8_t value[256];		/* of a letter, or NO_LETTER */
	uint8_t pairs[4096][2];		/* the letters of twelve bits */
} tables = { .once = PTHREAD_ONCE_INIT };

static void
make_tables(void)
{
	memset(tables.value, NO_LETTER, sizeof tables.value);
	for (unsigned i = 0; i < 64; i++)
		tables.value[letters[i]] = (uint8_t)i;
	for (unsigned i = 0; i < 4096; i++) {
		tables.pairs[i][0] = letters[i >> 6];
		tables.pairs[i][1] = letters[i & 63];
	}
}

/* A run: letters in lines of one length. */
struct run {
	size_t before;			/* octets, since the run before */
	size_t letters, first, line;	/* the first line has as many letters as the others, or less */
};

#ifdef __x86_64__
/*
 * Letters 32 at a time, by the way of W. Muła and D. Lemire, "Faster Base64 Encoding and Decoding Using AVX2 Instructions",
 * 2018, section 4: the halves of an octet say together whether it is a letter, and its upper half what its value is less.
 */
__attribute__((target("avx2"))) static inline bool
are_letters(__m256i octets)
{
	const __m256i lower = _mm256_setr_epi8(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b,
	    0x1b, 0x1a, 0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a);
	const __m256i upper = _mm256_setr_epi8(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10,
	    0x10, 0x10, 0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10);
	const __m256i half = _mm256_set1_epi8(0x0f);

	return _mm256_testz_si256(_mm256_shuffle_epi8(lower, _mm256_and_si256(octets, half)),
	    _mm256_shuffle_epi8(upper, _mm256_and_si256(_mm256_srli_epi32(octets, 4), half)));
}

/* How many letters stand there, if they are all and some more than a block; or those of the first blocks. */
__attribute__((target("avx2"))) static size_t
count_blocks(const uint8_t *at, size_t length)
{
	size_t count = 0;

	while (length - count >= BLOCK_LETTERS && are_letters(_mm256_loadu_si256((const __m256i *)(const void *)(at + count))))
		count += BLOCK_LETTERS;
	if (count > 0 && length - count < BLOCK_LETTERS &&
	    are_letters(_mm256_loadu_si256((const __m256i *)(const void *)(at + length - BLOCK_LETTERS))))
		return length;
	return count;
}

/* The bits of a block; writes BLOCK_WRITTEN octets. */
__attribute__((target("avx2"))) static inline void
read_block(const uint8_t *from, uint8_t *to)
{
	const __m256i less = _mm256_setr_epi8(0, 63 - '/', 62 - '+', 52 - '0', -'A', -'A', 26 - 'a', 26 - 'a', 0, 0, 0, 0, 0, 0, 0, 0,
	    0, 63 - '/', 62 - '+', 52 - '0', -'A', -'A', 26 - 'a', 26 - 'a', 0, 0, 0, 0, 0, 0, 0, 0);
	const __m256i threes = _mm256_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1, 2, 1, 0, 6, 5, 4, 10, 9, 8, 14,
	    13, 12, -1, -1, -1, -1);
	__m256i octets = _mm256_loadu_si256((const __m256i *)(const void *)from);
	__m256i upper = _mm256_and_si256(_mm256_srli_epi32(octets, 4), _mm256_set1_epi8(0x0f));
	__m256i is_slash = _mm256_cmpeq_epi8(octets, _mm256_set1_epi8('/'));

	octets = _mm256_add_epi8(octets, _mm256_shuffle_epi8(less, _mm256_add_epi8(upper, is_slash)));
	octets = _mm256_maddubs_epi16(octets, _mm256_set1_epi32(0x01400140));
	octets = _mm256_madd_epi16(octets, _mm256_set1_epi32(0x00011000));
	octets = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(octets, threes), _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7));
	_mm256_storeu_si256((__m256i *)(void *)to, octets);
}

/* The bits of fours of letters, the last block once more with letters that came before it; 0: they are less than a block. */
__attribute__((target("avx2"))) static size_t
read_blocks(const uint8_t *from, size_t count, uint8_t *to)
{
	size_t done = 0;

	if (count < BLOCK_LETTERS)
		return 0;
	for (; count - done >= BLOCK_LETTERS; done += BLOCK_LETTERS)
		read_block(from + done, to + done / 4 * 3);
	if (done < count)
		read_block(from + count - BLOCK_LETTERS, to + (count - BLOCK_LETTERS) / 4 * 3);
	return count;
}
#endif

/* What the processor has instructions for: letters at the beginning, at least in blocks. */
static size_t
count_many(const uint8_t *at, size_t length)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return count_blocks(at, length);
#endif
	(void)at, (void)length;
	return 0;
}

/* The same for bits of fours of letters, BLOCK_WRITTEN octets at a time: gives of how many letters. */
static size_t
read_many(const uint8_t *from, size_t count, uint8_t *to)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return read_blocks(from, count, to);
#endif
	(void)from, (void)count, (void)to;
	return 0;
}

/* How many letters stand at the beginning, at most so many. */
static size_t
count_letters(struct span octets, size_t most)
{
	size_t length = octets.length < most ? octets.length : most;
	size_t count = count_many(octets.at, length);

	while (count < length && tables.value[octets.at[count]] != NO_LETTER)
		count++;
	return count;
}

static bool
ends_line(struct span octets, size_t at)
{
	return octets.length - at >= CRLF_OCTETS && octets.at[at] == '\r' && octets.at[at + 1] == '\n';
}

/* The octets that a run takes with the ends of its lines, of which the last line has none. */
static size_t
octets_of(const struct run *run)
{
	size_t rest = run->letters - run->first;

	return run->letters + (rest + run->line - 1) / run->line * CRLF_OCTETS;
}

/* Go on with lines of the run's length, and letters of one that is cut or the last. */
static void
extend(struct span octets, struct run *run)
{
	size_t at = run->first, count;

	while (ends_line(octets, at)) {
		count = count_letters(span_from(octets, at + CRLF_OCTETS), run->line);
		if (count == 0)
			return;
		run->letters += count;
		at += CRLF_OCTETS + count;
		if (count < run->line)
			return;
	}
}

/*
 * See whether octets begin with a run.  They may begin within a line: up to three letters are then left out, so that
 * the bits of the others lie in octets as they did before they were encoded.
 */
static bool
begins_run(struct span octets, struct run *run)
{
	size_t first = count_letters(octets, octets.length), second;

	if (!ends_line(octets, first))
		return false;
	second = count_letters(span_from(octets, first + CRLF_OCTETS), octets.length);
	if (second < LINE_LEAST || second % 4 != 0 || first > second || !ends_line(octets, first + CRLF_OCTETS + second))
		return false;
	run->before = first % 4;
	run->letters = run->first = first - first % 4;
	run->line = second;
	if (run->first == 0)	/* of a line that is cut there, nothing */
		return false;
	extend(span_from(octets, run->before), run);
	return run->letters >= LINES_LEAST * run->line;
}

/* Find the next run; false: there is none. */
static bool
find_run(struct span octets, struct run *run)
{
	size_t at = 0, length;

	while (at < octets.length) {
		if (begins_run(span_from(octets, at), run)) {
			run->before += at;
			return true;
		}
		if ((length = span_find(span_from(octets, at), '\n')) >= octets.length - at)
			return false;
		at += length + 1;
	}
	return false;
}

static uint32_t
four(const uint8_t *at)
{
	return (uint32_t)(tables.value[at[0]] << 18 | tables.value[at[1]] << 12 | tables.value[at[2]] << 6 | tables.value[at[3]]);
}

/* The bits of letters of one line; only the last line of a run may have a number of them that is no multiple of four. */
static void
add_bits(struct span line, struct buffer *out)
{
	uint8_t *to = buffer_reserve(out, line.length / 4 * 3 + BLOCK_WRITTEN);
	const uint8_t *from = line.at, *end = line.at + line.length / 4 * 4;
	size_t many = read_many(from, line.length / 4 * 4, to);
	uint8_t rest[4] = "AAAA";
	uint32_t bits;

	for (from += many, to += many / 4 * 3; from < end; from += 4, to += 3) {
		bits = four(from);
		to[0] = (uint8_t)(bits >> 16);
		to[1] = (uint8_t)(bits >> 8);
		to[2] = (uint8_t)bits;
	}
	out->length += line.length / 4 * 3;
	if (line.length % 4 == 0)
		return;
	memcpy(rest, from, line.length % 4);
	bits = four(rest);
	for (size_t i = 0; i < (line.length % 4 * 6 + 7) / 8; i++)
		buffer_add_octet(out, (uint8_t)(bits >> (16 - 8 * i)));
}

static void
add_run(struct span octets, const struct run *run, struct buffer *bits)
{
	size_t length = run->first;

	for (size_t left = run->letters; left > 0; length = left < run->line ? left : run->line) {
		add_bits(span_slice(octets, 0, length), bits);
		octets = span_from(octets, length + CRLF_OCTETS);
		left -= length;
	}
}

static void
add_head(const struct run *run, struct buffer *out)
{
	base128_add(out, run->before);
	base128_add(out, run->letters);
	if (run->letters == 0)
		return;
	base128_add(out, run->first);
	base128_add(out, run->line);
}

bool
base64_shorten(struct span octets, struct buffer *out)
{
	struct buffer heads = { 0 }, others = { 0 }, bits = { 0 };
	struct span left = octets;
	struct run run;
	bool is_shorter;

	pthread_once(&tables.once, make_tables);
	buffer_reserve(&bits, octets.length / 4 * 3 + BLOCK_WRITTEN);
	while (find_run(left, &run)) {
		add_head(&run, &heads);
		buffer_add_span(&others, span_slice(left, 0, run.before));
		left = span_from(left, run.before);
		add_run(left, &run, &bits);
		left = span_from(left, octets_of(&run));
	}
	add_head(&(struct run){ .before = left.length }, &heads);
	buffer_add_span(&others, left);
	is_shorter = heads.length + others.length + bits.length <= octets.length - octets.length / 5;
	if (is_shorter) {
		buffer_add_span(out, buffer_span(&heads));
		buffer_add_span(out, buffer_span(&others));
		buffer_add_span(out, buffer_span(&bits));
	}
	buffer_free(&heads);
	buffer_free(&others);
	buffer_free(&bits);
	return is_shorter;
}

/* ---- back ----------------------------------------------------------------------------------------------- */

/* Read a head that can be true: what it tells of is no longer than so many octets. */
static bool
read_head(struct span *form, size_t most, struct run *run)
{
	uint64_t before, count, first = 0, line = 0;

	if (!base128_read(form, &before) || !base128_read(form, &count) || before > most || count > most)
		return false;
	if (count > 0 && (!base128_read(form, &first) || !base128_read(form, &line) || first == 0 || first > count ||
	    first > line || line > most || first % 4 != 0 || line % 4 != 0))
		return false;
	*run = (struct run){ before, count, first, line };
	return before + (count == 0 ? 0 : octets_of(run)) <= most;
}

/* Where the octets begin that belong to no run, where the bits do, and whether all that is there is told of. */
static bool
measure(struct span form, size_t length, size_t *others_out, size_t *bits_out)
{
	size_t others = 0, bits = 0, left = length;
	struct span rest = form;
	struct run run;

	do {
		if (!read_head(&rest, left, &run))
			return false;
		others += run.before;
		bits += (run.letters * 6 + 7) / 8;
		left -= run.before + (run.letters == 0 ? 0 : octets_of(&run));
	} while (run.letters > 0);
	*others_out = form.length - rest.length;
	*bits_out = *others_out + others;
	return left == 0 && rest.length == others + bits;
}

#ifdef __x86_64__
#define BLOCK_LETTERS 32
#define BLOCK_OCTETS  24
#define BLOCK_READ    28	/* octets that a block looks at */

/*
 * Blocks at a time, by the way of W. Muła and D. Lemire, "Faster Base64 Encoding and Decoding Using AVX2 Instructions", 2018,
 * section 3: each three octets become four numbers below 64 by two multiplications, and each number its letter by what
 * its alphabet's range adds.  Gives how many letters were written.
 */
__attribute__((target("avx2"))) static size_t
write_blocks(const uint8_t *bits, const uint8_t *end, size_t count, uint8_t *to)
{
	const __m256i threes = _mm256_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10, 1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8,
	    7, 10, 9, 11, 10);
	const __m256i shifts = _mm256_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
	    '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0, 'a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
	    '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);
	size_t written = 0;

	for (; count - written >= BLOCK_LETTERS && end - bits >= BLOCK_READ; written += BLOCK_LETTERS, bits += BLOCK_OCTETS) {
		__m256i octets = _mm256_loadu2_m128i((const __m128i *)(const void *)(bits + BLOCK_OCTETS / 2),
		    (const __m128i *)(const void *)bits);
		__m256i high, low, numbers, ranges;

		octets = _mm256_shuffle_epi8(octets, threes);
		high = _mm256_mulhi_epu16(_mm256_and_si256(octets, _mm256_set1_epi32(0x0fc0fc00)), _mm256_set1_epi32(0x04000040));
		low = _mm256_mullo_epi16(_mm256_and_si256(octets, _mm256_set1_epi32(0x003f03f0)), _mm256_set1_epi32(0x01000010));
		numbers = _mm256_or_si256(high, low);
		ranges = _mm256_or_si256(_mm256_subs_epu8(numbers, _mm256_set1_epi8(51)),
		    _mm256_and_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(26), numbers), _mm256_set1_epi8(13)));
		_mm256_storeu_si256((__m256i *)(void *)(to + written),
		    _mm256_add_epi8(numbers, _mm256_shuffle_epi8(shifts, ranges)));
	}
	return written;
}
#endif

/* As many letters as the processor has instructions for; gives how many. */
static size_t
write_many(const uint8_t *bits, const uint8_t *end, size_t count, uint8_t *to)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return write_blocks(bits, end, count, to);
#endif
	(void)bits, (void)end, (void)count, (void)to;
	return 0;
}

/* The letters of one line; gives where the next begin.  The form has nothing from end on. */
static const uint8_t *
write_letters(const uint8_t *bits, const uint8_t *end, size_t count, uint8_t *to)
{
	size_t many = write_many(bits, end, count, to);
	uint32_t last = 0;
	uint8_t rest[4];

	bits += many / 4 * 3;
	to += many;
	for (count -= many; count >= 4; count -= 4, bits += 3, to += 4) {
		memcpy(to, tables.pairs[bits[0] << 4 | bits[1] >> 4], 2);
		memcpy(to + 2, tables.pairs[(bits[1] & 15) << 8 | bits[2]], 2);
	}
	if (count == 0)
		return bits;
	for (size_t i = 0; i < 3; i++)
		last = last << 8 | (i < (count * 6 + 7) / 8 ? bits[i] : 0);
	memcpy(rest, tables.pairs[last >> 12], 2);
	memcpy(rest + 2, tables.pairs[last & 4095], 2);
	memcpy(to, rest, count);
	return bits + (count * 6 + 7) / 8;
}

static const uint8_t *
write_run(const uint8_t *bits, const uint8_t *end, const struct run *run, uint8_t *to)
{
	size_t length = run->first;

	for (size_t left = run->letters; left > 0; length = left < run->line ? left : run->line) {
		bits = write_letters(bits, end, length, to);
		to += length;
		if ((left -= length) > 0) {
			memcpy(to, "\r\n", CRLF_OCTETS);
			to += CRLF_OCTETS;
		}
	}
	return bits;
}

bool
base64_lengthen(struct span form, size_t length, struct buffer *out)
{
	const uint8_t *others, *bits, *end = form.at + form.length;
	size_t others_at, bits_at;
	struct run run;
	uint8_t *to;

	pthread_once(&tables.once, make_tables);
	if (!measure(form, length, &others_at, &bits_at))
		return false;
	others = form.at + others_at;
	bits = form.at + bits_at;
	to = buffer_reserve(out, length);
	do {
		read_head(&form, length, &run);
		if (run.before > 0)
			memcpy(to, others, run.before);
		others += run.before;
		to += run.before;
		if (run.letters > 0) {
			bits = write_run(bits, end, &run, to);
			to += octets_of(&run);
		}
	} while (run.letters > 0);
	out->length += length;
	return true;
}
