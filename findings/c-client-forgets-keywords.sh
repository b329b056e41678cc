#!/bin/sh
# c-client reads X-Keywords of an mbox only where the folder's first message lists the same words.
#
# Dovecot, alpine and UW imapd write the keywords of each message into its field X-Keywords, and all of a folder
# once more into X-IMAPbase of its first message.  Take a part of such a folder, by formail, a mail program's
# "save" or an editor, and that list stays behind.  mailutil 2007f (Debian 12, also with `-kw`, which is there to
# copy keywords) then drops every keyword, without a word and with exit status 0; with the list it keeps them.
#
# `imapctl import USER mbox PATH` takes X-Keywords for what it says, list or not.
#
# Needs apt and an amd64 or arm64 Debian 12.  Exits 0 while mailutil does so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download uw-mailutils=8:2007f~dfsg-7+b2 libc-client2007e=8:2007f~dfsg-7+b2 >download.log 2>&1 ||
    { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
LD_LIBRARY_PATH=$(find "$work/root" -name '*.so*' -exec dirname {} \; | sort -u | tr '\n' ':')
export LD_LIBRARY_PATH HOME="$work"
[ "$(id -u)" = 0 ] && names=${work#/}/ || names=	# root's names begin at /

letter() {
	printf 'From ada@example.org Mon Jan  1 10:00:00 2024\nSubject: one\n%sX-Keywords: Work $Forwarded\n\nbody\n' "$1"
}
letter 'X-IMAPbase: 1231128309 0000000001 Work $Forwarded
' >whole
letter '' >part
for file in whole part; do
	"$work/root/usr/bin/mailutil" copy -kw "$names$file" "#driver.unix/$names$file.copy" >"$file.log" 2>&1 ||
	    { echo "mailutil failed:"; cat "$file.log"; exit 1; }
	echo "$file: $(sed -n '/^X-Keywords:/{s/ *$//;p;}' "$file.copy" | tail -1) $(cat "$file.log")"
done | tee answers
grep -qx 'whole: X-Keywords: Work $Forwarded *' answers && grep -qx 'part: X-Keywords: *' answers
