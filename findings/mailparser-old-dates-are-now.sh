#!/bin/sh
# mailparser gives a message whose date is in an old form the time at which it is parsed, another one each time.
#
# RFC 5322 section 4.3 has programs read what was written before 2001: a letter for a zone, to be taken as "-0000", and a
# year of three digits, to which 1900 is added ("102" for 2002 is what careless programs wrote then).  mailparser 3.14.2
# hands the field to JavaScript's Date: "31 Dec 1996 23:59:00 A" becomes the present, so that an archive which is imported
# lies on top of the inbox and two runs do not agree; and the year 102 stays 102.  A message without the field has no date,
# as one expects of the others.
#
# imapd reads both as the RFC has it, for SORT, THREAD and SENTSINCE, and sends the field as it is.
#
# Needs node and npm.  Exits 0 while mailparser does so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" mailparser@3.14.2 >install.log 2>&1 || { cat install.log >&2; exit 2; }

cat >dates.js <<'END'
const { simpleParser } = require('mailparser');
const lines = ['Date: Tue, 31 Dec 1996 23:59:00 -0000', 'Date: Tue, 31 Dec 1996 23:59:00 A',
	'Date: Tue, 31 Dec 102 23:59:00 -0000', 'Subject: no date'];
(async () => {
	for (const line of lines) {
		const before = new Date();
		const { date } = await simpleParser(`${line}\r\n\r\ntext\r\n`);
		console.log(`${line}: ${!date ? 'none' : date >= before ? 'now' : date.toISOString()}`);
	}
})();
END
node dates.js | tee answers
cat >wanted <<'END'
Date: Tue, 31 Dec 1996 23:59:00 -0000: 1996-12-31T23:59:00.000Z
Date: Tue, 31 Dec 1996 23:59:00 A: now
Date: Tue, 31 Dec 102 23:59:00 -0000: 0102-12-31T23:59:00.000Z
Subject: no date: none
END
cmp -s wanted answers
