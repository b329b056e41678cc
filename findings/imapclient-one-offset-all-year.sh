#!/bin/sh
# IMAPClient gives a message of summer another time in winter, and puts a date of summer an hour later.
#
# What IMAPClient 3.0.1 (Debian 13) returns for INTERNALDATE is by default "timezone-naive but adjusted to the local
# time", and append() takes it so, too.  It adjusts by the offset that the local time has today, not by that of the
# date: in Berlin, a letter of 1 July 00:30 is one of 30 June 23:30 for a program that runs in December, in another
# month, and 1 July 00:30 of a file's name or a database goes to the server as 01:30.  What was noted in summer does not
# fit what is read in winter, so a copier that knows messages by their dates brings them again.  Shown with Dovecot
# 2.3.19.1 (Debian 12).
#
# It is the same with every server, imapd as well: set `normalise_times = False`, and give append() dates with a zone.
#
# Needs apt, python3, a Debian 12 with the keys of Debian 13, and root, to run the server as nobody.  Exits 0 while
# IMAPClient does so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download libfaketime=0.9.10-2.1 tzdata \
    dovecot-core=1:2.3.19.1+dfsg1-2.1+deb12u7 dovecot-imapd=1:2.3.19.1+dfsg1-2.1+deb12u7 \
    libsodium23 libunwind8 libexttextcat-2.0-0 liblua5.4-0 libstemmer0d libtirpc3 libwrap0 \
    >download.log 2>&1 || { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
libraries=$(find "$work/root" -name '*.so*' -exec dirname {} \; | sort -u | tr '\n' ':')

# A package of Debian 13, by lists of apt that nobody else sees.
mkdir -p apt/lists/partial apt/cache/archives/partial trixie
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main" >apt/sources
: >apt/status
trixie() {
	apt-get -q -o "Dir::Etc::SourceList=$work/apt/sources" -o Dir::Etc::SourceParts=/nonexistent \
	    -o "Dir::State::Lists=$work/apt/lists" -o "Dir::Cache=$work/apt/cache" -o "Dir::State::Status=$work/apt/status" \
	    -o Acquire::Languages=none -o APT::Sandbox::User=root "$@"
}
(trixie update && cd trixie && trixie download python3-imapclient=3.0.1-2) >download.log 2>&1 || { cat download.log >&2; exit 2; }
dpkg-deb -x trixie/*.deb new

mkdir -p home/Maildir/cur home/Maildir/new home/Maildir/tmp
cat >dovecot.conf <<END
base_dir = $work/home/run
libexec_dir = $work/root/usr/lib/dovecot
mail_plugin_dir = $work/root/usr/lib/dovecot/modules
mail_location = maildir:$work/home/Maildir
log_path = /dev/null
ssl = no
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
first_valid_uid = 1
namespace inbox {
  inbox = yes
}
END
cat >dates.py <<'END'
import datetime, socket, subprocess, sys, threading
import imapclient

def serve():
    there, _ = listener.accept()
    subprocess.call(sys.argv[1], stdin=there, stdout=there, stderr=subprocess.DEVNULL)

listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, daemon=True).start()
client = imapclient.IMAPClient("127.0.0.1", listener.getsockname()[1], ssl=False)
now = datetime.datetime.now()
client.append("INBOX", b"Subject: x\r\n\r\n", msg_time=datetime.datetime(2026, 7, 1, 0, 30))
client.select_folder("INBOX")
for normalise in True, False:
    client.normalise_times = normalise
    print(f"{now:%B}:", *(found[b"INTERNALDATE"] for found in client.fetch("1:*", ["INTERNALDATE"]).values()), sep="  ")
client.logout()
END
cat >server <<END
#!/bin/sh
unset LD_PRELOAD FAKETIME
LD_LIBRARY_PATH=$libraries exec $work/root/usr/lib/dovecot/imap -c $work/dovecot.conf
END
chmod 755 "$work" server
chown -R nobody:nogroup home

# Each run puts one message of 1 July 00:30 and looks at all.
for now in 2026-07-15 2026-12-15; do
	setpriv --reuid=nobody --regid=nogroup --clear-groups env -i PATH=/usr/bin:/bin USER=nobody HOME="$work/home" \
	    TZ=Europe/Berlin TZDIR="$work/root/usr/share/zoneinfo" LD_PRELOAD="$(find "$work/root" -name libfaketime.so.1)" \
	    FAKETIME="$now 12:00:00" PYTHONPATH="$work/new/usr/lib/python3/dist-packages" /usr/bin/python3 dates.py "$work/server"
done | tee answers
cat >wanted <<'END'
July:  2026-07-01 00:30:00
July:  2026-07-01 00:30:00+02:00
December:  2026-06-30 23:30:00  2026-07-01 00:30:00
December:  2026-07-01 00:30:00+02:00  2026-07-01 01:30:00+02:00
END
cmp -s wanted answers
