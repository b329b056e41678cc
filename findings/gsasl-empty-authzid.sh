#!/bin/sh
# GNU SASL sends an authorization identity of no octets, which the grammar of SCRAM does not have.
#
# `gsasl --authorization-id=` says that there is none.  gsasl 2.2.0 (Debian 12) then begins a SCRAM exchange with
# "n,a=,n=user,..." instead of "n,,n=user,...".  RFC 5802 section 7 has at least one octet behind "a=" (saslname), so
# that a server which reads the message by the grammar takes it for malformed, and the user looks for a fault in the
# password.  Without the option all is well.
#
# imapd answers BAD, as to any message that is not one; leave the option out.
#
# Needs apt and an amd64 or arm64 Debian 12.  Exits 0 while gsasl does so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download gsasl=2.2.0-1+deb12u2 libgsasl18=2.2.0-1+deb12u2 libntlm0=1.6-4 libgssglue1=0.7-1.1 libidn12=1.41-1 \
    >download.log 2>&1 || { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
LD_LIBRARY_PATH=$(find "$work/root" -name '*.so*' -exec dirname {} \; | sort -u | tr '\n' ':')
export LD_LIBRARY_PATH

# The first message of a client, without its nonce.
first() {
	echo | "$work/root/usr/bin/gsasl" --client --mechanism=SCRAM-SHA-256 --authentication-id=user --password=pencil \
	    --no-cb "$@" 2>/dev/null | sed -n 2p | base64 -d | sed 's/,r=.*//'
}
{
	echo "without the option: $(first)"
	echo "with an empty one:  $(first --authorization-id=)"
} | tee answers
grep -qx 'without the option: n,,n=user' answers && grep -qx 'with an empty one:  n,a=,n=user' answers
