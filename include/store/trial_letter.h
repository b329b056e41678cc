/*
 * The message that imapctl test-connectivity and health append, fetch and delete: of its octets nothing is free but a word
 * of hexadecimal digits.  So it can be known again, and is not kept when it leaves, as other messages are (store/retained.h).
 */
#ifndef STORE_TRIAL_LETTER_H
#define STORE_TRIAL_LETTER_H

#define TRIAL_LETTER_HEAD "From: imapctl <imapctl@localhost>\r\nSubject: Is everything there?\r\nMessage-ID: <"
#define TRIAL_LETTER_WORD 16	/* octets */
#define TRIAL_LETTER_TAIL "@imapctl.invalid>\r\n\r\nThis message is deleted at once.\r\n"

#endif
