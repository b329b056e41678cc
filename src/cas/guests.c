#include "guests.h"

#include "auth/throttle.h"
#include "base/map.h"
#include "client.h"

void
guests_fini(struct guests *guests)
{
	map_free(&guests->by_address);
}

/* Those who come are at most GUESTS_MAX within a window, and so is what is remembered of them. */
static void
begin_window(struct guests *guests, uint64_t now_us)
{
	map_free(&guests->by_address);
	guests->by_address = map_new();
	guests->began_us = now_us;
	guests->count = 0;
}

uint64_t
guests_rest_ms(const struct guests *guests, uint64_t now_us)
{
	uint64_t past_ms = (now_us - guests->began_us) / 1000;

	return guests->by_address == NULL || past_ms >= GUESTS_WINDOW_MS ? 0 : GUESTS_WINDOW_MS - past_ms;
}

static bool
is_this_host(struct span place)
{
	static const uint8_t loopback[8] = { 0 };	/* ::1 lies in the /64 of zeros */

	return (place.length == 4 && place.at[0] == 127) || span_equals(place, span_of(loopback, sizeof loopback));
}

enum guests_verdict
guests_count(struct guests *guests, const char *address, uint64_t now_us)
{
	uint8_t octets[16];
	struct span place = throttle_place(address, octets);

	if (guests_rest_ms(guests, now_us) == 0)
		begin_window(guests, now_us);
	if (guests->count >= GUESTS_MAX)
		return GUESTS_TOO_MANY;
	if (!is_this_host(place) && (uintptr_t)map_get(guests->by_address, place) >= GUESTS_ADDRESS_MAX)
		return GUESTS_TOO_OFTEN;
	count_up(guests->by_address, place);
	guests->count++;
	return GUESTS_WELCOME;
}
