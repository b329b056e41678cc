/*
 * The operator's tool: imapctl(8), the client side of the control socket.  Runs instead of the server
 * when the executable is called by that name.  Blocks; one thread.
 */
#ifndef IMAPCTL_IMAPCTL_H
#define IMAPCTL_IMAPCTL_H

/* Do what the arguments say and return the exit code: those of sysexits.h, as in imapctl(8). */
int imapctl_main(int argc, char **argv);

#endif
