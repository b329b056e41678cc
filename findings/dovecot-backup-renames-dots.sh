#!/bin/sh
# `doveadm backup` to a maildir renames the mailbox a.b to a_b, and says nothing.
#
# Dovecot 2.3.19.1 (Debian 12) refuses to CREATE a.b in a maildir, where a dot stands between levels.  Backing an
# sdbox up into one, as a step of a move, it makes a_b of it, prints nothing and exits 0: rules of Sieve and clients
# that know the name do not find the mailbox.  With LAYOUT=fs the name stays.
#
# `imapctl import` names LAYOUT=fs when it is given a dbox, reads that layout, and has a.b; so has an import from
# imap://.
#
# Needs apt, an amd64 or arm64 Debian 12, and root, to run Dovecot as nobody.  Exits 0 while it does so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download dovecot-core=1:2.3.19.1+dfsg1-2.1+deb12u7 dovecot-imapd=1:2.3.19.1+dfsg1-2.1+deb12u7 \
    libsodium23 libunwind8 >download.log 2>&1 || { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
libraries=$(find "$work/root" -name '*.so*' -exec dirname {} \; | sort -u | tr '\n' ':')

mkdir -p home/run
cat >dovecot.conf <<END
base_dir = $work/home/run
libexec_dir = $work/root/usr/lib/dovecot
mail_plugin_dir = $work/root/usr/lib/dovecot/modules
mail_location = sdbox:$work/home/sdbox
log_path = /dev/stderr
ssl = no
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
first_valid_uid = 1
namespace inbox {
  inbox = yes
  separator = /
}
END
chmod 755 "$work"
chown -R nobody:nogroup home

doveadm() {
	setpriv --reuid=nobody --regid=nogroup --clear-groups env -i PATH=/usr/bin:/bin USER=nobody HOME="$work/home" \
	    LD_LIBRARY_PATH="$libraries" "$work/root/usr/bin/doveadm" -c "$work/dovecot.conf" "$@"
}

{ printf 'a CREATE a.b\r\n'; sleep 2; printf 'b APPEND a.b {14+}\r\nSubject: x\r\n\r\n\r\nc LOGOUT\r\n'; } |
    doveadm exec imap >imap.log 2>&1 || true
grep -aE '^[ab] ' imap.log
doveadm backup maildir:"$work/home/dots" >backup.log 2>&1 && code=0 || code=$?
echo "backup to a maildir: exit $code, $(grep -vc 'stats' backup.log || true) lines printed, folders:"
ls -A home/dots | grep '^\.[a-z]' | tee dots || true
doveadm backup maildir:"$work/home/fs:LAYOUT=fs" >/dev/null 2>&1
echo "with LAYOUT=fs:"
ls -A home/fs | grep '^a' | tee fs || true
[ "$code" = 0 ] && grep -qx '.a_b' dots && grep -qx 'a.b' fs
