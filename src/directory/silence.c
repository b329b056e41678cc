/*
 * A layer between TLS and TCP that waits for the socket itself and fails when nothing comes.  libldap's
 * own timeouts do not reach into its TLS handshake, where it tries again for ever: a server that accepts
 * connections and is stuck would keep a thread, and a processor, until it is gone.  Worker thread.
 */
#include "silence.h"

#include <errno.h>
#include <poll.h>

#include "base/memory.h"

#define LEVEL (LBER_SBIOD_LEVEL_PROVIDER + 1)	/* above TCP, below TLS */

/* False: nothing happened within the limit; errno says so. */
static bool
await(Sockbuf_IO_Desc *layer, short event)
{
	const struct silence *silence = layer->sbiod_pvt;
	struct pollfd poll_fd = { .events = event };

	if (ber_sockbuf_ctrl(layer->sbiod_sb, LBER_SB_OPT_GET_FD, &poll_fd.fd) != 1)
		return true;
	if (poll(&poll_fd, 1, silence->limit_ms) != 0)
		return true;
	errno = ETIMEDOUT;
	return false;
}

static int
set_up(Sockbuf_IO_Desc *layer, void *silence)
{
	layer->sbiod_pvt = silence;
	return 0;
}

static int
do_nothing(Sockbuf_IO_Desc *layer)
{
	(void)layer;
	return 0;
}

static int
control(Sockbuf_IO_Desc *layer, int option, void *argument)
{
	return LBER_SBIOD_CTRL_NEXT(layer, option, argument);
}

static ber_slen_t
read_patiently(Sockbuf_IO_Desc *layer, void *octets, ber_len_t length)
{
	return await(layer, POLLIN) ? LBER_SBIOD_READ_NEXT(layer, octets, length) : -1;
}

static ber_slen_t
write_patiently(Sockbuf_IO_Desc *layer, void *octets, ber_len_t length)
{
	return await(layer, POLLOUT) ? LBER_SBIOD_WRITE_NEXT(layer, octets, length) : -1;
}

static Sockbuf_IO patient_io = {
	.sbi_setup = set_up,
	.sbi_remove = do_nothing,
	.sbi_ctrl = control,
	.sbi_read = read_patiently,
	.sbi_write = write_patiently,
	.sbi_close = do_nothing,
};

static int
on_connected(LDAP *ldap, Sockbuf *socket, LDAPURLDesc *uri, struct sockaddr *address,
    struct ldap_conncb *callback)
{
	(void)ldap, (void)uri, (void)address;
	return ber_sockbuf_add_io(socket, &patient_io, LEVEL,
	    CONTAINER_OF(callback, struct silence, on_connected));
}

static void
on_closing(LDAP *ldap, Sockbuf *socket, struct ldap_conncb *callback)
{
	(void)ldap, (void)socket, (void)callback;
}

void
silence_init(struct silence *silence, unsigned limit_s)
{
	silence->on_connected = (struct ldap_conncb){ .lc_add = on_connected, .lc_del = on_closing };
	silence->limit_ms = (int)limit_s * 1000;
}

int
silence_limit(LDAP *ldap, struct silence *silence)
{
	return ldap_set_option(ldap, LDAP_OPT_CONNECT_CB, &silence->on_connected);
}
