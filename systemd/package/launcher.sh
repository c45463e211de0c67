#!/bin/sh
# Starts migration-agent on the Node.js that came with it. The process becomes Node.js: systemd sees one main process.
here=$(dirname -- "$(readlink -f -- "$0")")
# The certificate authorities of the host count beside those of Node.js: one file has them all, in a place that differs
# between Debian, Red Hat and SUSE. Without an empty directory beside it, Node.js would load each of them a second time from
# /etc/ssl/certs, which costs a tenth of a second and 3 MB. If no such file exists, Node.js looks in its own places.
if [ -z "${SSL_CERT_FILE:-}${SSL_CERT_DIR:-}" ]; then
  for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem; do
    [ ! -r "$file" ] || { export SSL_CERT_FILE="$file" SSL_CERT_DIR="$here/no-certificates"; break; }
  done
fi
# A small young generation halves the agent's memory for a few per cent of CPU.
exec "$here/node" --use-system-ca --max-semi-space-size=4 --disable-warning=ExperimentalWarning "$here/app/main.mjs" "$@"
