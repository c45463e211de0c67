#!/bin/sh
# Starts migration-agent on the Node.js that came with it. The process becomes Node.js: systemd sees one main process.
here=$(dirname -- "$(readlink -f -- "$0")")
# The host's certificate authorities count beside those of Node.js, so that a company's own CA needs no setting here.
# Node.js looks in Debian's place only; the others are those of Red Hat and SUSE.
if [ -z "${SSL_CERT_FILE:-}${SSL_CERT_DIR:-}" ]; then
  for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem; do
    [ ! -r "$bundle" ] || { export SSL_CERT_FILE="$bundle" SSL_CERT_DIR=/nonexistent; break; }
  done
fi
# A small young generation halves the agent's memory for a few per cent of CPU.
exec "$here/node" --use-system-ca --max-semi-space-size=4 --disable-warning=ExperimentalWarning "$here/app/main.mjs" "$@"
