#!/bin/sh
# shellcheck disable=SC2034
create_user() {
  if command -v systemd-sysusers >/dev/null; then
    echo 'u migration-agent - "Migration agent" /var/lib/migration-agent' | systemd-sysusers - || exit 1
  elif ! getent passwd migration-agent >/dev/null; then
    groupadd --system migration-agent || exit 1
    useradd --system --gid migration-agent --home-dir /var/lib/migration-agent --no-create-home \
      --shell /sbin/nologin --comment 'Migration agent' migration-agent || exit 1
  fi
}
